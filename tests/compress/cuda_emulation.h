// A card that is not there: runs the bodies of kernels on the host, step by step, the threads of a
// block in an order that can be chosen. Memory is exactly as large as was asked for, and full of
// numbers that mean nothing.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "common/result.h"

namespace compress::testing {

// In which order the threads of a step run: whatever is right with one barrier between steps is
// right in each of them.
enum class Order { kAscending, kDescending, kMixed };

inline uint32_t nth(Order order, uint32_t i, uint32_t count) {
  if (order == Order::kDescending) return count - 1 - i;
  // An odd step visits all of a power of two.
  return order == Order::kMixed ? (i * 37 + 11) % count : i;
}

// `N` threads.
template <uint32_t N>
class Threads {
 public:
  static_assert((N & (N - 1)) == 0);

  template <typename T>
  class Local {
   public:
    Local() { std::memset(static_cast<void*>(of_.data()), 0xA5, sizeof of_); }
    T& operator[](uint32_t t) { return of_[t]; }

   private:
    std::array<T, N> of_;
  };

  explicit Threads(Order order) : order_(order) {}

  template <typename F>
  void each(const F& f) {
    for (uint32_t i = 0; i < N; ++i) f(nth(order_, i, N));
  }
  template <typename F>
  uint32_t sum(const F& f) {
    uint32_t all = 0;
    each([&](uint32_t t) { all += f(t); });
    return all;
  }
  uint32_t exclusive_sum(Local<uint32_t>& x) {
    uint32_t all = 0;
    for (uint32_t t = 0; t < N; ++t) {
      const uint32_t here = x[t];
      x[t] = all;
      all += here;
    }
    return all;
  }

 protected:
  Order order_;
};

class HostWarp : public Threads<32> {
 public:
  HostWarp(Order order, uint32_t index) : Threads(order), index_(index) {}

  uint32_t index() const { return index_; }
  void wait() {}
  template <typename F>
  uint32_t ballot(const F& f) {
    uint32_t bits = 0;
    each([&](uint32_t lane) { bits |= (f(lane) ? 1u : 0u) << lane; });
    return bits;
  }

 private:
  uint32_t index_;
};

template <uint32_t N>
class HostBlock : public Threads<N> {
 public:
  using Warp = HostWarp;
  static constexpr uint32_t kThreads = N;

  HostBlock(Order order, uint32_t index) : Threads<N>(order), index_(index) {}

  uint32_t index() const { return index_; }
  template <typename T>
  T get(const T& shared) {
    return shared;
  }
  template <typename F>
  uint32_t count(const F& f) {
    return this->sum([&](uint32_t t) { return f(t) ? 1u : 0u; });
  }
  template <typename T, typename F>
  T most(const F& f) {
    T best = 0;
    this->each([&](uint32_t t) {
      const T here = f(t);
      best = here > best ? here : best;
    });
    return best;
  }
  template <typename F>
  void each_warp(const F& f) {
    for (uint32_t i = 0; i < N / 32; ++i) {
      HostWarp warp(this->order_, nth(this->order_, i, N / 32));
      f(warp);
    }
  }

 private:
  uint32_t index_;
};

// The machine of compress/cuda/codec_on.h.
class HostMachine {
 public:
  template <typename T>
  using Result = common::Result<T>;

  explicit HostMachine(Order order) : order_(order) {}

  Result<void*> allocate(size_t bytes) {
    auto room = std::make_unique<Block16[]>((bytes + 15) / 16);
    std::memset(room.get(), 0xCD, bytes);
    void* const at = room.get();
    rooms_.emplace(at, std::move(room));
    return at;
  }
  void release(void* at) { rooms_.erase(at); }
  Result<void> upload(void* to, const void* from, size_t bytes) {
    std::memcpy(to, from, bytes);
    return {};
  }
  Result<void> download(void* to, const void* from, size_t bytes) const {
    std::memcpy(to, from, bytes);
    return {};
  }
  Result<void> move(void* to, const void* from, size_t bytes) {
    std::memcpy(to, from, bytes);
    return {};
  }
  Result<void> clear(void* at, size_t bytes) {
    std::memset(at, 0, bytes);
    return {};
  }
  Result<void> finish() { return {}; }

  template <class Kernel>
  Result<void> launch(uint32_t blocks, const typename Kernel::Args& args) {
    using Block = HostBlock<Kernel::kThreads>;
    const size_t bytes = Kernel::template shared_bytes<Block>(args);
    std::vector<Block16> shared((bytes + 15) / 16);
    for (uint32_t i = 0; i < blocks; ++i) {
      if (bytes > 0) std::memset(shared.data(), 0xCD, bytes);
      Block block(order_, order_ == Order::kDescending ? blocks - 1 - i : i);
      Kernel::template run<Block>(block, args, reinterpret_cast<uint8_t*>(shared.data()));
    }
    return {};
  }

 protected:
  struct alignas(16) Block16 {
    uint8_t byte[16];
  };

 private:
  Order order_;
  std::map<void*, std::unique_ptr<Block16[]>> rooms_;
};

}  // namespace compress::testing
