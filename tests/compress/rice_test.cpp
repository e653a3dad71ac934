// Goal: the Rice parameter is the best one, the lowest of several, and bits come back as they were
// written. Method: every parameter tried, on seeded and on extreme gaps; a long stream of mixed
// fields.
#include "compress/rice.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "common/philox.h"
#include "compress/bit_stream.h"

namespace compress {
namespace {

using Gaps = std::vector<uint16_t>;

// Of 0 to 15, so that kRiceMax is seen to be enough.
uint32_t best_by_trying(const Gaps& gaps) {
  uint32_t best = 0;
  for (uint32_t r = 1; r < 16; ++r) {
    if (rice_bits(gaps, r) < rice_bits(gaps, best)) best = r;
  }
  return best;
}

// `count` sorted offsets below `size`, as gaps, drawn by chance.
Gaps random_gaps(uint32_t count, uint32_t size, uint64_t seed) {
  common::Philox random(seed);
  std::vector<bool> chosen(size);
  for (const uint64_t at : common::sample_without_replacement(random, size, count))
    chosen[at] = true;
  Gaps gaps;
  uint16_t gap = 0;
  for (const bool here : chosen) {
    if (here)
      gaps.push_back(std::exchange(gap, uint16_t{0}));
    else
      ++gap;
  }
  return gaps;
}

TEST(Rice, ParameterAndBoundHoldForEveryDensity) {
  for (const uint32_t size : {1u, 2u, 64u, 1000u, 4096u}) {
    for (uint32_t count = 1; count <= size; count += 1 + count / 3) {
      const Gaps gaps = random_gaps(count, size, count);
      const uint32_t best = best_by_trying(gaps);
      ASSERT_EQ(rice_parameter(gaps), best) << count << " of " << size;
      ASSERT_LE(rice_bits(gaps, best), rice_bits_max(count, size)) << count << " of " << size;
    }
  }
}

TEST(Rice, KnowsTheExtremes) {
  EXPECT_EQ(rice_parameter(Gaps(64, 0)), 0u);
  EXPECT_EQ(rice_parameter(Gaps{1}), 0u);  // 2 bits under 0 and under 1: the lower.
  EXPECT_EQ(rice_parameter(Gaps{4095}), best_by_trying({4095}));
  EXPECT_EQ(rice_parameter(Gaps{2047}), best_by_trying({2047}));
  EXPECT_LE(rice_parameter(Gaps{4095}), kRiceMax);
}

TEST(Rice, CostsSevenAndAHalfBitsAnIndexAtRandom) {
  double bits = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Gaps gaps = random_gaps(64, 4096, seed);
    bits += rice_bits(gaps, rice_parameter(gaps));
  }
  EXPECT_NEAR(bits / (200 * 64), 7.5, 0.05);  // The bound is 7.36.
}

TEST(BitStream, ReadsWhatWasWritten) {
  common::Philox random(9);
  std::vector<std::pair<uint64_t, uint32_t>> fields;  // Width 100: unary.
  common::Bytes bytes;
  BitWriter out(bytes);
  for (int i = 0; i < 3000; ++i) {
    if (random.below(4) == 0) {
      fields.emplace_back(random.below(300), 100);
      out.put_unary(static_cast<uint32_t>(fields.back().first));
    } else {
      const auto width = static_cast<uint32_t>(random.below(BitWriter::kPutMax + 1));
      fields.emplace_back(random.next64() & ((uint64_t{1} << width) - 1), width);
      out.put(fields.back().first, width);
    }
  }
  out.pad();
  BitReader in(bytes);
  for (const auto& [value, width] : fields) {
    ASSERT_EQ(width == 100 ? in.take_unary(300) : in.take(width), value);
  }
  EXPECT_TRUE(in.at_end());
}

TEST(BitStream, FailsAtTheEndAndStaysFailed) {
  const common::Bytes bytes{0xFF};
  BitReader in(bytes);
  EXPECT_EQ(in.take(9), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.take(1), 0u);
  EXPECT_FALSE(in.at_end());
}

TEST(BitStream, ARunOfZerosHasALimit) {
  const common::Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 1};  // 72 zeros.
  EXPECT_EQ(BitReader(bytes).take_unary(72), 72u);
  BitReader limited(bytes);
  EXPECT_EQ(limited.take_unary(71), 0u);
  EXPECT_FALSE(limited.ok());
  BitReader endless(common::ByteView(bytes).first(9));
  EXPECT_EQ(endless.take_unary(4096), 0u);
  EXPECT_FALSE(endless.ok());
}

}  // namespace
}  // namespace compress
