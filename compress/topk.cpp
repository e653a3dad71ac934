#include "compress/topk.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/check.h"
#include "compress/layout.h"

namespace compress {
namespace {

// Magnitudes compare as their bits do. A bucket is an exponent and the first three bits behind it.
constexpr uint32_t kBucketShift = 20;
constexpr uint32_t kBuckets = 1u << (31 - kBucketShift);
constexpr uint32_t kLargestFinite = 0x7F7FFFFF;

uint32_t magnitude_bits(float value) { return std::bit_cast<uint32_t>(value) & 0x7FFFFFFF; }

// The bucket that holds the last value to be kept, and how many are kept of it.
struct Border {
  uint32_t bucket;
  uint32_t wanted;
};

Border find_border(std::span<const float> values, size_t keep) {
  std::array<uint16_t, kBuckets> counts{};
  uint32_t largest = 0;
  for (const float value : values) {
    const uint32_t bits = magnitude_bits(value);
    largest = std::max(largest, bits);
    ++counts[bits >> kBucketShift];
  }
  CHECK_MSG(largest <= kLargestFinite, "NaN or infinity in our own update");
  uint32_t bucket = largest >> kBucketShift;
  auto wanted = static_cast<uint32_t>(keep);
  while (counts[bucket] < wanted) wanted -= counts[bucket--];
  return {bucket, wanted};
}

}  // namespace

void top_k(std::span<const float> values, std::span<uint16_t> offsets) {
  CHECK(values.size() <= kTileMax && !offsets.empty() && offsets.size() <= values.size());
  const Border border = find_border(values, offsets.size());

  // What lies above the border is kept; of what lies in it, the largest are. A candidate is its
  // bits reversed, then its offset, so that the least number is the largest magnitude, the lower
  // offset first.
  std::array<uint16_t, kTileMax> above;
  std::array<uint64_t, kTileMax> candidates;
  uint32_t above_count = 0;
  uint32_t candidate_count = 0;
  for (uint32_t i = 0; i < values.size(); ++i) {
    const uint32_t bits = magnitude_bits(values[i]);
    const uint32_t bucket = bits >> kBucketShift;
    if (bucket < border.bucket) continue;
    if (bucket > border.bucket) {
      above[above_count++] = static_cast<uint16_t>(i);
    } else {
      candidates[candidate_count++] = uint64_t{~bits} << 32 | i;
    }
  }
  const auto first = candidates.begin();
  std::nth_element(first, first + (border.wanted - 1), first + candidate_count);

  std::array<uint16_t, kTileMax> chosen;
  for (uint32_t i = 0; i < border.wanted; ++i) chosen[i] = static_cast<uint16_t>(candidates[i]);
  std::sort(chosen.begin(), chosen.begin() + border.wanted);
  std::merge(above.begin(), above.begin() + above_count, chosen.begin(),
             chosen.begin() + border.wanted, offsets.begin());
}

}  // namespace compress
