// A card for machines without one: the bodies of train/cuda's kernels, run step by step on the
// host, one thread after the other. What the card does by instructions of its own, the products of
// fragments and of matrices, is plain loops here.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/check.h"
#include "train/cuda/fragments.h"
#include "train/cuda/product.h"

namespace train::cuda {

// In which order threads, and blocks, take their turns: what is right does not depend on it.
enum class Turns { kForwards, kBackwards };

// N threads; see train/cuda/both.h.
template <int N>
class HostBlock {
 public:
  static constexpr int kThreads = N;

  template <typename T>
  struct Local {
    std::array<T, N> values;
    T& operator[](int t) { return values[static_cast<size_t>(t)]; }
    const T& operator[](int t) const { return values[static_cast<size_t>(t)]; }
  };

  HostBlock(int index, Turns turns) : index_(index), turns_(turns) {}

  int index() const { return index_; }
  void meet() {}
  template <typename F>
  void step(const F& f) {
    for (int i = 0; i < N; ++i) f(turns_ == Turns::kForwards ? i : N - 1 - i);
  }
  template <typename F>
  void each(const F& f) {
    step(f);
  }

  template <int kSpan, typename F>
  void lanes_sum(const F& f) {
    fold_lanes<kSpan>(f, [](auto a, auto b) { return a + b; });
  }
  template <int kSpan, typename F>
  void lanes_most(const F& f) {
    fold_lanes<kSpan>(f, [](float a, float b) { return larger(a, b); });
  }
  template <typename F>
  auto sum(const F& f) {
    return fold(f, [](auto a, auto b) { return a + b; });
  }
  template <typename F>
  float most(const F& f) {
    return fold(f, [](float a, float b) { return larger(a, b); });
  }

  // Lane 8 i + r of a warp knows row r of matrix i; lane l gets of each matrix elements 2 (l % 4)
  // and 2 (l % 4) + 1 of row l / 4, or, turned, of column l / 4.
  template <bool kTurned, typename F>
  void load_matrices(const F& f) {
    for (int warp = 0; warp < N; warp += kLanes) {
      std::array<const Bf16*, kLanes> rows;
      for (int lane = 0; lane < kLanes; ++lane) rows[size_t(lane)] = f(warp + lane).from;
      for (int lane = 0; lane < kLanes; ++lane) {
        const MatrixRow row = f(warp + lane);
        CHECK(reinterpret_cast<uintptr_t>(row.from) % 16 == 0);
        for (int i = 0; i < 4; ++i) {
          const auto value = [&](int k) {
            const int at = lane % 4 * 2 + k;
            return kTurned ? rows[size_t(8 * i + at)][lane / 4]
                           : rows[size_t(8 * i + lane / 4)][at];
          };
          row.to[i] = uint32_t{value(1).bits} << 16 | value(0).bits;
        }
      }
    }
  }

  // PTX's fragments of m16n8k16: with g = lane / 4 and q = lane % 4
  //   a: (g, 2q..), (g + 8, 2q..), (g, 2q + 8..), (g + 8, 2q + 8..)     b: (2q.., g), (2q + 8.., g)
  //   d: (g, 2q), (g, 2q + 1), (g + 8, 2q), (g + 8, 2q + 1)
  template <typename F>
  void multiply(const F& f) {
    const auto part = [](uint32_t word, int k) {
      return to_float(Bf16{static_cast<uint16_t>(word >> 16 * k)});
    };
    for (int warp = 0; warp < N; warp += kLanes) {
      float a[16][16], b[16][8];
      for (int lane = 0; lane < kLanes; ++lane) {
        const Operands of = f(warp + lane);
        for (int k = 0; k < 2; ++k) {
          const int g = lane / 4;
          const int q = lane % 4 * 2 + k;
          for (int i = 0; i < 4; ++i) a[g + i % 2 * 8][q + i / 2 * 8] = part(of.a[i], k);
          b[q][g] = part(of.b0, k);
          b[q + 8][g] = part(of.b1, k);
        }
      }
      for (int lane = 0; lane < kLanes; ++lane) {
        const Operands of = f(warp + lane);
        for (int i = 0; i < 4; ++i) {
          const int row = lane / 4 + i / 2 * 8;
          const int column = lane % 4 * 2 + i % 2;
          for (int k = 0; k < 16; ++k) of.d[i] += a[row][k] * b[k][column];
        }
      }
    }
  }

  void copy(Bf16* to, const Bf16* from, bool inside) {
    CHECK(reinterpret_cast<uintptr_t>(to) % 16 == 0);
    CHECK(reinterpret_cast<uintptr_t>(from) % 16 == 0);
    for (int i = 0; i < 8; ++i) to[i] = inside ? from[i] : Bf16{};
  }
  void commit() {}
  template <int kOpen>
  void arrive() {}

 private:
  // Butterflies, as a card's lanes do it.
  template <int kSpan, typename F, typename Fold>
  void fold_lanes(const F& f, const Fold& add) {
    using T = std::remove_reference_t<decltype(f(0))>;
    for (int step = kSpan / 2; step > 0; step /= 2) {
      std::array<T, N> before;
      for (int t = 0; t < N; ++t) before[size_t(t)] = f(t);
      for (int t = 0; t < N; ++t) f(t) = add(before[size_t(t)], before[size_t(t ^ step)]);
    }
  }
  template <typename F, typename Fold>
  auto fold(const F& f, const Fold& add) {
    std::array<decltype(f(0)), N> values;
    step([&](int t) { values[size_t(t)] = f(t); });
    fold_lanes<kLanes>(
        [&](int t) -> auto& { return values[size_t(t)]; }, add);
    auto all = values[0];
    for (size_t warp = kLanes; warp < N; warp += kLanes) all = add(all, values[warp]);
    return all;
  }

  int index_;
  Turns turns_;
};

// See train/cuda/room.h. Its memory is the host's, but not all of the host's is its: whoever hands
// it an array of his own, or reads beyond one, is told where the machine can tell.
class EmulatedMachine {
 public:
  explicit EmulatedMachine(Turns turns) : turns_(turns) {}

  std::string name() const { return "cuda:emulated"; }
  uint64_t memory_bytes() const { return uint64_t{8} << 30; }
  int positions_at_once() const { return 512; }
  int64_t logits_at_once() const { return 1 << 14; }  // So few that a loss is made in parts.

  void* allocate(size_t size_bytes) {
    void* const memory = std::aligned_alloc(256, (size_bytes + 256) / 256 * 256);
    CHECK(memory != nullptr);
    std::memset(memory, 0xFF, size_bytes);  // NaN: whoever reads it shows it.
    sizes_[static_cast<const std::byte*>(memory)] = size_bytes;
    return memory;
  }
  void release(void* memory) {
    CHECK(memory == nullptr || sizes_.erase(static_cast<const std::byte*>(memory)) == 1);
    std::free(memory);
  }
  void upload(void* to, const void* from, size_t size_bytes) {
    expect_ours(to, size_bytes);
    std::memcpy(to, from, size_bytes);
  }
  void download(void* to, const void* from, size_t size_bytes) {
    expect_ours(from, size_bytes);
    std::memcpy(to, from, size_bytes);
  }
  void clear(void* memory, size_t size_bytes) {
    expect_ours(memory, size_bytes);
    std::memset(memory, 0, size_bytes);
  }

  void* allocate_host(size_t size_bytes) {
    return std::aligned_alloc(64, (size_bytes + 64) / 64 * 64);
  }
  void release_host(void* memory) { std::free(memory); }

  template <class Kernel>
  void launch(int64_t blocks, const typename Kernel::Args& args) {
    each_block<Kernel>(blocks, args, [&](int index, uint8_t* shared) {
      HostBlock<Kernel::kThreads> block(index, turns_);
      Kernel::run(block, args, shared);
    });
  }

  void multiply(const Product& product);

 protected:
  Turns turns() const { return turns_; }

  // f(index, shared memory), which holds what nobody may rely on, and no more than every card lends
  // a block.
  template <class Kernel, typename F>
  void each_block(int64_t blocks, const typename Kernel::Args& args, const F& f) {
    constexpr size_t kSharedMax = 99 << 10;
    const size_t shared_bytes = Kernel::shared_bytes(args);
    CHECK(shared_bytes <= kSharedMax);
    shared_.resize(shared_bytes / sizeof(Line) + 1);
    auto* const shared = reinterpret_cast<uint8_t*>(shared_.data());
    for (int64_t i = 0; i < blocks; ++i) {
      std::memset(shared, 0xFF, shared_bytes);
      f(static_cast<int>(turns_ == Turns::kForwards ? i : blocks - 1 - i), shared);
    }
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  void expect_ours(const void* memory, size_t size_bytes) const {
    const auto* const at = static_cast<const std::byte*>(memory);
    const auto after = sizes_.upper_bound(at);
    CHECK_MSG(after != sizes_.begin(), "memory that is not the machine's");
    const auto [first, size] = *std::prev(after);
    CHECK_MSG(at + size_bytes <= first + size, "memory that is not the machine's");
  }

  Turns turns_;
  std::map<const std::byte*, size_t> sizes_;
  std::vector<Line> shared_;
};

}  // namespace train::cuda
