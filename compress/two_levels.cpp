#include "compress/two_levels.h"

#include <array>
#include <numeric>

#include "common/check.h"
#include "compress/layout.h"
#include "compress/simd/split.h"

namespace compress {

TwoLevels two_levels(std::span<const float> magnitudes) {
  CHECK(!magnitudes.empty() && magnitudes.back() > 0 && magnitudes.size() <= kTileMax);
  const size_t n = magnitudes.size();
  std::array<double, kTileMax + 1> sums;  // Of the first s.
  sums[0] = 0;
  for (size_t s = 0; s < n; ++s) sums[s + 1] = sums[s] + magnitudes[s];
  // The squared error of two means is the sum of squares less S1^2 / n1 + S2^2 / n2, so the split
  // of the largest such gain is the best.
  const size_t split = simd::best_split(magnitudes, std::span(sums).first(n + 1));
  const auto behind = magnitudes.subspan(split);
  return levels_of({.count = static_cast<uint32_t>(n),
                    .split = static_cast<uint32_t>(split),
                    .high = sums[split],
                    .low = std::accumulate(behind.begin(), behind.end(), 0.0),
                    .all = sums[n]});
}

}  // namespace compress
