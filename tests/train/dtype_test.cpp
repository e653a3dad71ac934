// Goal: fp16 and bf16 are read exactly and written to the nearest, ties to even.
// Method: all 65,536 patterns there and back; a search for the nearest by plain arithmetic; edges.
#include "train/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "common/philox.h"

namespace train {
namespace {

float decoded(Dtype dtype, uint16_t bits) {
  float value = 0;
  std::array<uint8_t, 2> bytes;
  std::memcpy(bytes.data(), &bits, 2);
  decode(dtype, bytes, std::span(&value, 1));
  return value;
}

uint16_t encoded(Dtype dtype, float value) {
  std::array<uint8_t, 2> bytes;
  encode(dtype, std::span(&value, 1), bytes);
  uint16_t bits;
  std::memcpy(&bits, bytes.data(), 2);
  return bits;
}

// IEEE 754 as the book has it: sign, exponent, fraction.
double by_the_book(uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const double fraction = (bits & ((1 << fraction_bits) - 1)) / std::pow(2.0, fraction_bits);
  const double size = exponent == 0 ? fraction * std::pow(2.0, 1 - bias)
                                    : (1 + fraction) * std::pow(2.0, exponent - bias);
  return (bits & 0x8000) != 0 ? -size : size;
}

int exponent_bits_of(Dtype dtype) { return dtype == Dtype::kF16 ? 5 : 8; }

class HalfTest : public testing::TestWithParam<Dtype> {};

TEST_P(HalfTest, EveryFinitePatternIsReadByTheBookAndComesBack) {
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    const auto pattern = static_cast<uint16_t>(bits);
    const float value = decoded(GetParam(), pattern);
    const int exponent = exponent_bits_of(GetParam());
    const uint32_t all_ones = ((1U << exponent) - 1) << (15 - exponent);
    if ((bits & all_ones) == all_ones) {
      EXPECT_FALSE(std::isfinite(value)) << bits;
      continue;
    }
    ASSERT_EQ(value, by_the_book(pattern, exponent)) << bits;
    ASSERT_EQ(std::signbit(value), (bits & 0x8000) != 0) << bits;
    ASSERT_EQ(encoded(GetParam(), value), pattern) << bits;
  }
}

TEST_P(HalfTest, BetweenTwoNeighboursTheNearerAndAtTheMiddleTheEven) {
  const int exponent = exponent_bits_of(GetParam());
  const uint32_t last = (((1U << exponent) - 1) << (15 - exponent)) - 1;  // Largest finite.
  for (uint32_t bits = 0; bits < last; bits += bits < 3000 ? 1 : 37) {
    const auto low = static_cast<uint16_t>(bits);
    const auto high = static_cast<uint16_t>(bits + 1);
    // Exact in fp32: its fraction is longer.
    const float middle =
        static_cast<float>((by_the_book(low, exponent) + by_the_book(high, exponent)) / 2);
    ASSERT_EQ(encoded(GetParam(), middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(encoded(GetParam(), std::nextafter(middle, 0.0F)), low) << bits;
    ASSERT_EQ(encoded(GetParam(), std::nextafter(middle, INFINITY)), high) << bits;
    ASSERT_EQ(encoded(GetParam(), -middle), 0x8000 | (bits % 2 == 0 ? low : high)) << bits;
  }
}

TEST_P(HalfTest, NotFiniteIsSaidWhenRead) {
  const uint16_t infinity = GetParam() == Dtype::kF16 ? 0x7C00 : 0x7F80;
  for (const uint16_t bits :
       {infinity, static_cast<uint16_t>(infinity | 0x8000), static_cast<uint16_t>(infinity | 1)}) {
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data() + 2, &bits, 2);
    std::array<float, 2> values;
    EXPECT_FALSE(decode(GetParam(), bytes, values)) << bits;
  }
}
INSTANTIATE_TEST_SUITE_P(Both, HalfTest, testing::Values(Dtype::kF16, Dtype::kBf16),
                         [](const auto& row) { return std::string(name(row.param)); });

TEST(Dtype, Fp16EndsAt65504) {
  std::array<uint8_t, 2> bytes;
  for (const auto& [value, fits] : std::vector<std::pair<float, bool>>{
           {65504.0F, true}, {65519.996F, true}, {65520.0F, false}, {-1e9F, false}}) {
    EXPECT_EQ(encode(Dtype::kF16, std::span(&value, 1), bytes), fits) << value;
    EXPECT_EQ(encode(Dtype::kBf16, std::span(&value, 1), bytes), true) << value;
  }
}

TEST(Dtype, Fp32IsItself) {
  common::Philox random(1);
  std::vector<float> values(100);
  for (float& value : values) value = static_cast<float>(random.normal());
  std::vector<uint8_t> bytes(400);
  ASSERT_TRUE(encode(Dtype::kF32, values, bytes));
  std::vector<float> back(100);
  ASSERT_TRUE(decode(Dtype::kF32, bytes, back));
  EXPECT_EQ(back, values);
}

TEST(Dtype, NamesAreTheFieldsAndPeoples) {
  for (const Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBf16}) {
    EXPECT_EQ(dtype_of(name(dtype)), dtype);
  }
  EXPECT_EQ(dtype_of_flag("bf16"), Dtype::kBf16);
  EXPECT_EQ(torch_name(Dtype::kBf16), "bfloat16");
  EXPECT_EQ(dtype_of("I64"), std::nullopt);
  EXPECT_EQ(dtype_of_flag("BF16"), std::nullopt);
}

}  // namespace
}  // namespace train
