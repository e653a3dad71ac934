// A card that is not there, thread by thread: each thread of a block runs the whole body of a
// kernel on its own, with registers of its own, and goes on from a barrier when all have reached
// it, as on a card (tests/fibers.h).
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "common/check.h"
#include "tests/compress/cuda_emulation.h"
#include "tests/fibers.h"

namespace compress::testing {

using tests::Barrier;
using tests::Fibers;

template <uint32_t N>
struct FiberShared {
  uint32_t index = 0;
  Barrier all{N};
  std::array<Barrier, N / 32> warp;
  std::array<uint64_t, N> number;  // What threads tell each other.
};

// One of `count` threads that tell each other numbers.
class FiberTeam {
 public:
  template <typename T>
  class Local {
   public:
    Local() { std::memset(static_cast<void*>(&value_), 0xA5, sizeof value_); }
    T& operator[](uint32_t) { return value_; }

   private:
    T value_;
  };

  FiberTeam(uint32_t t, uint32_t count, Barrier& barrier, uint64_t* numbers)
      : t_(t), count_(count), barrier_(&barrier), numbers_(numbers) {}

  void wait() { Fibers::wait(*barrier_); }
  template <typename F>
  void each(const F& f) {
    f(t_);
    wait();
  }
  template <typename F>
  uint32_t sum(const F& f) {
    uint32_t all = 0;
    tell(f(t_), [&](uint32_t, uint64_t number) { all += static_cast<uint32_t>(number); });
    return all;
  }
  uint32_t exclusive_sum(Local<uint32_t>& x) {
    uint32_t all = 0;
    uint32_t before = 0;
    tell(x[t_], [&](uint32_t i, uint64_t number) {
      if (i < t_) before += static_cast<uint32_t>(number);
      all += static_cast<uint32_t>(number);
    });
    x[t_] = before;
    return all;
  }

 protected:
  template <typename F>
  void tell(uint64_t mine, const F& take) {
    numbers_[t_] = mine;
    wait();
    for (uint32_t i = 0; i < count_; ++i) take(i, numbers_[i]);
    wait();
  }

  uint32_t t_;

 private:
  uint32_t count_;
  Barrier* barrier_;
  uint64_t* numbers_;
};

class FiberWarp : public FiberTeam {
 public:
  FiberWarp(uint32_t index, uint32_t lane, Barrier& barrier, uint64_t* numbers)
      : FiberTeam(lane, 32, barrier, numbers), index_(index) {}

  uint32_t index() const { return index_; }
  template <typename F>
  uint32_t ballot(const F& f) {
    uint32_t bits = 0;
    tell(f(t_) ? 1 : 0, [&](uint32_t lane, uint64_t is) { bits |= (is != 0 ? 1u : 0u) << lane; });
    return bits;
  }

 private:
  uint32_t index_;
};

template <uint32_t N>
class FiberBlock : public FiberTeam {
 public:
  using Warp = FiberWarp;
  static constexpr uint32_t kThreads = N;

  FiberBlock(uint32_t t, FiberShared<N>& shared)
      : FiberTeam(t, N, shared.all, shared.number.data()), shared_(&shared) {}

  uint32_t index() const { return shared_->index; }
  template <typename T>
  T get(const T& x) {
    const T value = x;
    wait();
    return value;
  }
  template <typename F>
  uint32_t count(const F& f) {
    return sum([&](uint32_t t) { return f(t) ? 1u : 0u; });
  }
  template <typename T, typename F>
  T most(const F& f) {
    T best = 0;
    tell(f(t_), [&](uint32_t, uint64_t number) { best = std::max(best, static_cast<T>(number)); });
    return best;
  }
  template <typename F>
  void each_warp(const F& f) {
    const uint32_t w = t_ / 32;
    FiberWarp warp(w, t_ % 32, shared_->warp[w], shared_->number.data() + 32 * w);
    f(warp);
    wait();
  }

 private:
  FiberShared<N>* shared_;
};

class FiberMachine : public HostMachine {
 public:
  explicit FiberMachine(Order order) : HostMachine(order), order_(order) {}

  template <class Kernel>
  Result<void> launch(uint32_t blocks, const typename Kernel::Args& args) {
    constexpr uint32_t kThreads = Kernel::kThreads;
    using Block = FiberBlock<kThreads>;
    const size_t bytes = Kernel::template shared_bytes<Block>(args);
    std::vector<Block16> memory((bytes + 15) / 16 + 1);
    const auto turn = [this](uint32_t i) { return nth(order_, i, kThreads); };
    for (uint32_t i = 0; i < blocks; ++i) {
      std::memset(memory.data(), 0xCD, memory.size() * sizeof(Block16));
      FiberShared<kThreads> shared;
      shared.index = i;
      for (Barrier& barrier : shared.warp) barrier.wanted = 32;
      Fibers::run(kThreads, turn, [&](uint32_t t) {
        Block block(t, shared);
        Kernel::template run<Block>(block, args, reinterpret_cast<uint8_t*>(memory.data()));
      });
    }
    return {};
  }

 private:
  Order order_;
};

}  // namespace compress::testing
