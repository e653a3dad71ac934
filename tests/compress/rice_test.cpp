// Goal: Rice's parameter is the best one, the lowest of several, numbers and bits come back as they
// were written, and the bounds of both codes hold. Method: every parameter tried, on seeded and on
// extreme numbers; a long stream of mixed fields; gaps counted one by one.
#include "compress/rice.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "common/philox.h"
#include "compress/bit_stream.h"
#include "compress/golomb.h"

namespace compress {
namespace {

using Numbers = std::vector<uint16_t>;

uint32_t rice_bits(const Numbers& numbers, uint32_t parameter) {
  uint32_t bits = 0;
  for (const uint32_t number : numbers) bits += (number >> parameter) + 1 + parameter;
  return bits;
}

uint32_t best_by_trying(const Numbers& numbers) {
  uint32_t best = 0;
  for (uint32_t r = 1; r < 18; ++r) {
    if (rice_bits(numbers, r) < rice_bits(numbers, best)) best = r;
  }
  return best;
}

TEST(Rice, TheParameterIsTheBestAndTheLowestOfSeveral) {
  common::Philox random(1);
  for (uint32_t round = 0; round < 3000; ++round) {
    Numbers numbers(random.below(40));
    for (uint16_t& number : numbers) {
      number = static_cast<uint16_t>(random.below(1 + (uint64_t{1} << random.below(17))));
    }
    const uint32_t best = best_by_trying(numbers);
    ASSERT_EQ(rice_parameter(numbers), best);
    for (uint32_t r = 0; r < 17; ++r) {
      RiceCheck check(r);
      for (const uint16_t number : numbers) check.add(number);
      ASSERT_EQ(check.is_best(), r == best);
    }
  }
  EXPECT_EQ(rice_parameter({}), 0u);
  EXPECT_EQ(rice_parameter(Numbers{1}), 0u);  // 2 bits under 0 and under 1: the lower.
  EXPECT_EQ(rice_parameter(Numbers(9, 0xFFFF)), 15u);
}

TEST(Rice, NumbersComeBackAsTheyWereWritten) {
  common::Philox random(2);
  for (uint32_t parameter = 0; parameter < 16; ++parameter) {
    Numbers numbers(200);
    for (uint16_t& number : numbers) number = static_cast<uint16_t>(random.below(1 << 12));
    common::Bytes bytes(200 * 4096 / 8 + 1000 + BitCursor::kSlack);
    BitWriter out(bytes.data());
    for (const uint16_t number : numbers) put_rice(out, number, parameter);
    out.pad();
    BitCursor in{.bytes = bytes.data(), .at = 0, .end = 8 * out.bytes().size()};
    for (const uint16_t number : numbers) ASSERT_EQ(take_rice(in, parameter, 1 << 12), number);
    EXPECT_TRUE(in.pad());
    EXPECT_EQ(in.at, in.end);
  }
}

TEST(Rice, WhatIsTooLargeOrHasNoEndIsAboveTheMost) {
  common::Bytes bytes(600 + BitCursor::kSlack);
  BitWriter out(bytes.data());
  put_rice(out, 1000, 2);
  out.pad();
  const BitCursor start{.bytes = bytes.data(), .at = 0, .end = 8 * out.bytes().size()};
  BitCursor in = start;
  EXPECT_EQ(take_rice(in, 2, 1000), 1000u);
  in = start;
  EXPECT_GT(take_rice(in, 2, 900), 900u);
  in = start;
  in.end = 64;  // Within the quotient.
  EXPECT_GT(take_rice(in, 2, 1000), 1000u);
}

TEST(Rice, StepsAreNumbersAndBack) {
  for (int32_t step = -16383; step <= 16383; ++step) ASSERT_EQ(unzigzag(zigzag(step)), step);
  EXPECT_EQ(zigzag(0), 0u);
  EXPECT_EQ(zigzag(-1), 1u);
  EXPECT_EQ(zigzag(1), 2u);
}

// Bits of the gaps between sorted offsets, drawn by chance.
uint32_t golomb_bits(const GapCode& code, uint32_t count, uint32_t size, uint64_t seed) {
  common::Philox random(seed);
  std::vector<bool> chosen(size);
  for (const uint64_t at : common::sample_without_replacement(random, size, count)) {
    chosen[at] = true;
  }
  uint32_t bits = 0;
  uint32_t gap = 0;
  for (const bool here : chosen) {
    if (!here) {
      ++gap;
      continue;
    }
    bits += gap / code.modulus + 1 + code.width + (gap % code.modulus >= code.plain);
    gap = 0;
  }
  return bits;
}

TEST(Golomb, FieldsHoldEveryRemainder) {
  for (const uint32_t size : {1u, 2u, 64u, 1000u, 4096u}) {
    for (uint32_t keep = 1; keep <= size; ++keep) {
      const GapCode code = GapCode::of(size, keep);
      ASSERT_LE(1u << code.width, code.modulus);
      ASSERT_GT(2u << code.width, code.modulus);
      // So many fields are taken by what is plain; the last one has the two largest remainders.
      ASSERT_LE(code.plain, 1u << code.width);
      ASSERT_EQ(code.plain + 2 * ((1u << code.width) - code.plain), code.modulus);
    }
  }
}

TEST(Golomb, AQuotientIsTheQuotient) {
  for (uint32_t keep = 1; keep <= 4096; keep += 1 + keep / 9) {
    const GapCode code = GapCode::of(4096, keep);
    for (uint32_t gap = 0; gap < 4096; ++gap) ASSERT_EQ(code.quotient(gap), gap / code.modulus);
  }
}

TEST(Golomb, TheBoundHoldsForEveryDensity) {
  for (const uint32_t size : {1u, 2u, 64u, 1000u, 4096u}) {
    for (uint32_t keep = 1; keep <= size; keep += 1 + keep / 3) {
      const GapCode code = GapCode::of(size, keep);
      for (uint32_t count = 1; count <= keep; count += 1 + count / 2) {
        ASSERT_LE(golomb_bits(code, count, size, count), code.bits_max(count, size));
        ASSERT_LE(code.bits_max(count, size), code.bits_max(keep, size));
      }
    }
  }
}

TEST(Golomb, CostsLessThanSevenAndAHalfBitsAnOffsetAtRandom) {
  const GapCode code = GapCode::of(4096, 64);
  EXPECT_EQ(code.modulus, 44u);
  double bits = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) bits += golomb_bits(code, 64, 4096, seed);
  EXPECT_NEAR(bits / (200 * 64), 7.436, 0.01);  // The bound is 7.36, Rice's code takes 7.50.
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
