// Two levels for a tile's sorted magnitudes, as compress/two_levels.h finds them.
//
// Sums of magnitudes are fp64 and rounded one after the other, so one thread adds them up, while
// other blocks of its multiprocessor work; gains are found by all.
#pragma once

#include "compress/cuda/both.h"
#include "compress/two_levels.h"

namespace compress::cuda {

template <class Block>
class TileLevels {
 public:
  struct Shared {
    double* sums;  // (keep + 1) of the first s magnitudes
    TwoLevels* levels;

    MUSTER_BOTH static Shared of(SharedRoom& room, uint32_t keep) {
      return {room.take<double>(keep + 1), room.take<TwoLevels>(1)};
    }
  };

  // sorted (n): bits of magnitudes, descending, none of them zero
  MUSTER_BOTH static TwoLevels run(Block& block, const Shared& shared, const uint32_t* sorted,
                                   uint32_t n) {
    if (n == 0) return {};
    block.each([&](uint32_t t) {
      if (t == 0) add_up(sorted, n, shared.sums);
    });
    const double all = block.get(shared.sums[n]);
    const auto gain_of = [&](uint32_t s) { return gain(sorted, shared.sums, all, n, s); };
    // Gains are above zero, so their bits compare as they do.
    const auto best = block.template most<uint64_t>([&](uint32_t t) {
      uint64_t most = 0;
      for (uint32_t s = t + 1; s < n; s += Block::kThreads) {
        const uint64_t here = gain_of(s);
        most = here > most ? here : most;
      }
      return most;
    });
    uint32_t split = n;
    if (std::bit_cast<double>(best) > product(all, all) / n) {
      split = block.template most<uint32_t>([&](uint32_t t) {
        uint32_t last = 0;
        for (uint32_t s = t + 1; s < n; s += Block::kThreads) {
          if (gain_of(s) == best) last = s;
        }
        return last;
      });
    }
    block.each([&](uint32_t t) {
      if (t != 0) return;
      double behind = 0;
      for (uint32_t i = split; i < n; ++i) behind = sum(behind, magnitude(sorted, i));
      *shared.levels = levels_of({n, split, shared.sums[split], behind, all});
    });
    return block.get(*shared.levels);
  }

 private:
  MUSTER_BOTH static double magnitude(const uint32_t* sorted, uint32_t i) {
    return std::bit_cast<float>(sorted[i]);
  }

  MUSTER_BOTH static void add_up(const uint32_t* sorted, uint32_t n, double* sums) {
    double here = 0;
    sums[0] = 0;
    for (uint32_t s = 0; s < n; ++s) {
      here = sum(here, magnitude(sorted, s));
      sums[s + 1] = here;
    }
  }

  // compress/simd/split.h; zero where no split may be.
  MUSTER_BOTH static uint64_t gain(const uint32_t* sorted, const double* sums, double all,
                                   uint32_t n, uint32_t s) {
    if (sorted[s - 1] == sorted[s]) return 0;
    const double high = sums[s];
    const double low = sum(all, -high);
    return std::bit_cast<uint64_t>(sum(product(high, high) / s, product(low, low) / (n - s)));
  }
};

}  // namespace compress::cuda
