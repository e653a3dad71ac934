#include "compress/two_levels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "common/check.h"
#include "compress/layout.h"
#include "compress/simd/split.h"

namespace compress {
namespace {

// To nearest, ties to even; nothing if it is below the least code, the largest code if above that.
std::optional<uint16_t> code_of(double magnitude) {
  uint64_t bits = std::bit_cast<uint64_t>(magnitude);
  constexpr uint64_t kHalf = uint64_t{1} << (magnitude_code::kDropped - 1);
  bits += kHalf - 1 + ((bits >> magnitude_code::kDropped) & 1);
  bits >>= magnitude_code::kDropped;
  if (bits < magnitude_code::kFirst) return std::nullopt;
  return static_cast<uint16_t>(
      std::min<uint64_t>(bits - magnitude_code::kFirst, magnitude_code::kLargest));
}

double sum(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TwoLevels one_level(double magnitude, size_t count) {
  const auto code = code_of(magnitude);
  if (!code) return {};
  const auto n = static_cast<uint32_t>(count);
  return {.high_count = n, .count = n, .high_code = *code, .ratio = 0};
}

}  // namespace

TwoLevels two_levels(std::span<const float> magnitudes) {
  CHECK(!magnitudes.empty() && magnitudes.back() > 0 && magnitudes.size() <= kTileMax);
  const size_t n = magnitudes.size();
  std::array<double, kTileMax + 1> sums;  // Of the first s.
  sums[0] = 0;
  for (size_t s = 0; s < n; ++s) sums[s + 1] = sums[s] + magnitudes[s];
  // The squared error of two means is the sum of squares less S1^2 / n1 + S2^2 / n2, so the split
  // of the largest such gain is the best.
  const size_t split = simd::best_split(magnitudes, std::span(sums).first(n + 1));
  TwoLevels levels = one_level(sums[split] / static_cast<double>(split), split);
  if (split == n || levels.count == 0) return levels;

  const double low = sum(magnitudes.subspan(split)) / static_cast<double>(n - split);
  const double ratio = std::floor(low / levels.high() * magnitude_code::kRatios + 0.5);
  if (ratio < 1) return levels;
  if (ratio >= magnitude_code::kRatios) return one_level(sums[n] / static_cast<double>(n), n);
  levels.count = static_cast<uint32_t>(n);
  levels.ratio = static_cast<uint8_t>(ratio);
  return levels;
}

}  // namespace compress
