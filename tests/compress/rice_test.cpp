// Goal: the Rice parameter is the best one, the lowest of several, and bits come back as they were
// written. Method: every parameter tried, on seeded and on extreme gaps; a long stream of mixed
// fields.
#include "compress/rice.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

#include "common/philox.h"
#include "compress/bit_stream.h"
#include "compress/simd/gaps.h"
#include "tests/compress/targets.h"

namespace compress {
namespace {

using Gaps = std::vector<uint32_t>;

// Bits that `gaps` take under `parameter`.
uint32_t rice_bits(const Gaps& gaps, uint32_t parameter) {
  uint32_t bits = 0;
  for (const uint32_t gap : gaps) bits += (gap >> parameter) + 1 + parameter;
  return bits;
}

// What stands in the two streams for `gaps`.
struct Written {
  uint32_t parameter;
  common::Bytes remainders;
  common::Bytes quotients;
};

Written write(const Gaps& gaps) {
  std::vector<int32_t> offsets;
  uint32_t next = 0;
  for (const uint32_t gap : gaps) {
    offsets.push_back(static_cast<int32_t>(next + gap));
    next += gap + 1;
  }
  common::Bytes remainders(10000 + 2 * BitCursor::kSlack);
  common::Bytes quotients = remainders;
  BitWriter to_remainders(remainders.data());
  BitWriter to_quotients(quotients.data());
  const uint32_t parameter = simd::write_gaps(offsets, to_remainders, to_quotients);
  to_remainders.pad();
  to_quotients.pad();
  return {parameter, remainders, quotients};
}

uint32_t rice_parameter(const Gaps& gaps) { return write(gaps).parameter; }

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
  uint32_t gap = 0;
  for (const bool here : chosen) {
    if (here)
      gaps.push_back(std::exchange(gap, 0u));
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

TEST(Rice, GapsComeBackAsTheyWereWritten) {
  testing::on_every_target([] {
    for (const uint32_t size : {1u, 2u, 64u, 1000u, 4096u}) {
      for (uint32_t count = 1; count <= size; count += 1 + count / 3) {
        const Gaps gaps = random_gaps(count, size, 1000 + count);
        const Written written = write(gaps);
        const BitCursor remainders{.bytes = written.remainders.data(), .at = 0, .end = 80000};
        BitCursor quotients{.bytes = written.quotients.data(), .at = 0, .end = 80000};
        alignas(64) std::array<int32_t, kTileMax + simd::kRoom> step;
        const simd::GapCode code{count, written.parameter, size};
        simd::StopBits stops;
        ASSERT_TRUE(simd::read_stop_bits(code, quotients, stops));
        ASSERT_TRUE(simd::read_steps(code, remainders, stops, step));
        for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(step[i], static_cast<int32_t>(gaps[i] + 1));
        EXPECT_EQ(uint64_t{count} * written.parameter + quotients.at,
                  rice_bits(gaps, written.parameter));
      }
    }
  });
}

TEST(BitStream, ReadsWhatWasWritten) {
  common::Philox random(9);
  std::vector<std::pair<uint64_t, uint32_t>> fields;  // Width 100: unary.
  common::Bytes bytes(200000);
  BitWriter out(bytes.data());
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
  BitCursor in{.bytes = bytes.data(), .at = 0, .end = 8 * out.bytes().size()};
  for (const auto& [value, width] : fields) {
    if (width != 100) {
      ASSERT_EQ(in.take(width), value);
      continue;
    }
    uint64_t zeros = 0;
    while (in.take(1) == 0) ++zeros;
    ASSERT_EQ(zeros, value);
  }
  EXPECT_TRUE(in.pad());
  EXPECT_EQ(in.at, in.end);
}

TEST(BitStream, AWordIsTheNext64BitsFromAnyBit) {
  common::Philox random(10);
  common::Bytes bytes(32);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next32());
  for (uint64_t at = 0; at < 128; ++at) {
    BitCursor in{.bytes = bytes.data(), .at = at, .end = 256};
    const uint64_t word = in.word();
    EXPECT_EQ(word, in.take(30) | in.take(34) << 30) << at;
    in.at = at % 64;
    EXPECT_EQ(word, in.word(at - at % 64));
  }
}

TEST(BitStream, PaddingThatIsNotZeroIsSeen) {
  const common::Bytes bytes{0b0001'0111, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_FALSE((BitCursor{.bytes = bytes.data(), .at = 4, .end = 8}).pad());
  EXPECT_TRUE((BitCursor{.bytes = bytes.data(), .at = 5, .end = 8}).pad());
  EXPECT_TRUE((BitCursor{.bytes = bytes.data(), .at = 0, .end = 8}).pad());
}

}  // namespace
}  // namespace compress
