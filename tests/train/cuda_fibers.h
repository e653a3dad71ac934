// The emulated card thread by thread: each thread of a block runs the whole body of a kernel on its
// own, with registers of its own, and goes on from a barrier when all have reached it, as on a
// card. Copies to shared memory arrive as late as may be, or at once. So a barrier or a wait that
// is missing, or that not all threads reach, shows: in the bits, in one of the orders in which
// threads run, or because nobody can go on (CHECK).
#pragma once

#include <cstring>
#include <type_traits>
#include <vector>

#include "tests/fibers.h"
#include "tests/train/cuda_emulation.h"

namespace train::cuda {

// What the threads of a block have in common.
struct FiberShared {
  struct Lane {
    uint64_t number;
    const Bf16* row;
    Fragment a;
    uint32_t b[2];
  };

  int index = 0;
  bool copies_late = false;
  tests::Barrier all;
  std::vector<tests::Barrier> warps;
  std::vector<Lane> lanes;

  FiberShared(int block, int threads, bool late)
      : index(block),
        copies_late(late),
        all{static_cast<uint32_t>(threads)},
        warps(size_t(threads / kLanes), tests::Barrier{uint32_t{kLanes}}),
        lanes(size_t(threads)) {}
};

// Thread t's view of its block; see train/cuda/both.h.
template <int N>
class FiberBlock {
 public:
  static constexpr int kThreads = N;

  template <typename T>
  class Local {
   public:
    Local() { std::memset(static_cast<void*>(&value_), 0xA5, sizeof(value_)); }
    T& operator[](int) { return value_; }
    const T& operator[](int) const { return value_; }

   private:
    T value_;
  };

  FiberBlock(int t, FiberShared& shared) : t_(t), shared_(shared) {}

  int index() const { return shared_.index; }
  void meet() { tests::Fibers::wait(shared_.all); }
  template <typename F>
  void step(const F& f) {
    f(t_);
  }
  template <typename F>
  void each(const F& f) {
    f(t_);
    meet();
  }

  template <int kSpan, typename F>
  void lanes_sum(const F& f) {
    auto& value = f(t_);
    value = over_lanes<kSpan>(value, [](auto a, auto b) { return a + b; });
  }
  template <int kSpan, typename F>
  void lanes_most(const F& f) {
    float& value = f(t_);
    value = over_lanes<kSpan>(value, [](float a, float b) { return larger(a, b); });
  }
  template <typename F>
  auto sum(const F& f) {
    return over_block(f(t_), [](auto a, auto b) { return a + b; });
  }
  template <typename F>
  float most(const F& f) {
    return over_block(f(t_), [](float a, float b) { return larger(a, b); });
  }

  // See HostBlock, tests/train/cuda_emulation.h, for what goes where.
  template <bool kTurned, typename F>
  void load_matrices(const F& f) {
    const MatrixRow row = f(t_);
    mine().row = row.from;
    together([&] {
      const int lane = t_ % kLanes;
      for (int i = 0; i < 4; ++i) {
        const auto value = [&](int k) {
          const int at = lane % 4 * 2 + k;
          return kTurned ? neighbour(8 * i + at).row[lane / 4]
                         : neighbour(8 * i + lane / 4).row[at];
        };
        row.to[i] = uint32_t{value(1).bits} << 16 | value(0).bits;
      }
    });
  }
  template <typename F>
  void multiply(const F& f) {
    const Operands of = f(t_);
    std::copy_n(of.a, 4, mine().a.at);
    mine().b[0] = of.b0;
    mine().b[1] = of.b1;
    together([&] {
      const auto part = [](uint32_t word, int k) {
        return to_float(Bf16{static_cast<uint16_t>(word >> 16 * (k % 2))});
      };
      for (int i = 0; i < 4; ++i) {
        const int row = t_ % kLanes / 4;
        const int column = t_ % 4 * 2 + i % 2;
        for (int k = 0; k < 16; ++k) {
          const int q = k % 8 / 2;
          const Fragment& a = neighbour(row * 4 + q).a;
          of.d[i] += part(a.at[i / 2 + k / 8 * 2], k) * part(neighbour(column * 4 + q).b[k / 8], k);
        }
      }
    });
  }

  void copy(Bf16* to, const Bf16* from, bool inside) {
    CHECK(reinterpret_cast<uintptr_t>(to) % 16 == 0 && reinterpret_cast<uintptr_t>(from) % 16 == 0);
    open_.push_back({to, from, inside});
    if (!shared_.copies_late) finish(open_);
  }
  void commit() {
    groups_.push_back(std::move(open_));
    open_.clear();
  }
  template <int kOpen>
  void arrive() {
    while (groups_.size() > size_t(kOpen)) {
      finish(groups_.front());
      groups_.erase(groups_.begin());
    }
    meet();
  }

 private:
  struct Copy {
    Bf16* to;
    const Bf16* from;
    bool inside;
  };
  static void finish(std::vector<Copy>& copies) {
    for (const Copy& one : copies) {
      for (int i = 0; i < 8; ++i) one.to[i] = one.inside ? one.from[i] : Bf16{};
    }
    copies.clear();
  }

  FiberShared::Lane& mine() { return shared_.lanes[size_t(t_)]; }
  FiberShared::Lane& neighbour(int lane) {
    return shared_.lanes[size_t(t_ / kLanes * kLanes + lane)];
  }
  // What a warp does when all of it has come; nobody leaves before all have looked.
  template <typename F>
  void together(const F& f) {
    tests::Barrier& warp = shared_.warps[size_t(t_ / kLanes)];
    tests::Fibers::wait(warp);
    f();
    tests::Fibers::wait(warp);
  }
  template <int kSpan, typename T, typename Fold>
  T over_lanes(T value, const Fold& fold) {
    for (int step = kSpan / 2; step > 0; step /= 2) {
      std::memcpy(&mine().number, &value, sizeof(value));
      together([&] {
        T other;
        std::memcpy(&other, &neighbour((t_ % kLanes) ^ step).number, sizeof(other));
        value = fold(value, other);
      });
    }
    return value;
  }
  template <typename T, typename Fold>
  T over_block(T value, const Fold& fold) {
    value = over_lanes<kLanes>(value, fold);
    std::memcpy(&mine().number, &value, sizeof(value));
    meet();
    for (int warp = 0; warp < N / kLanes; ++warp) {
      T other;
      std::memcpy(&other, &shared_.lanes[size_t(warp * kLanes)].number, sizeof(other));
      value = warp == 0 ? other : fold(value, other);
    }
    meet();
    return value;
  }

  int t_;
  FiberShared& shared_;
  std::vector<Copy> open_;
  std::vector<std::vector<Copy>> groups_;
};

class FiberMachine : public EmulatedMachine {
 public:
  FiberMachine(Turns turns, bool copies_late) : EmulatedMachine(turns), late_(copies_late) {}

  template <class Kernel>
  void launch(int64_t blocks, const typename Kernel::Args& args) {
    constexpr uint32_t kThreads = Kernel::kThreads;
    const auto turn = [this](uint32_t i) {
      return turns() == Turns::kForwards ? i : kThreads - 1 - i;
    };
    each_block<Kernel>(blocks, args, [&](int index, uint8_t* room) {
      FiberShared shared(index, Kernel::kThreads, late_);
      tests::Fibers::run(kThreads, turn, [&](uint32_t t) {
        FiberBlock<Kernel::kThreads> block(static_cast<int>(t), shared);
        Kernel::run(block, args, room);
      });
    });
  }

 private:
  bool late_;
};

}  // namespace train::cuda
