// Goal: fixed-point numbers round, saturate and divide as the chain's runtime does, to the last
// bit. Method: against arbitrary-precision integers (slow and obvious) on seeded data, then the
// edges one by one.
#include "chain/embedded/fixed_point.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <random>

namespace chain {
namespace {

using boost::multiprecision::cpp_int;

constexpr int kDraws = 20'000;

cpp_int big(int128 value) { return cpp_int(value); }

cpp_int clamp_bits(const cpp_int& value, int bits) {
  const cpp_int high = (cpp_int(1) << (bits - 1)) - 1;
  return value > high ? high : value < -high - 1 ? cpp_int(-high - 1) : value;
}

// cpp_int divides toward zero; this is the other way, toward minus infinity.
cpp_int floor_shift(const cpp_int& value, int shift) {
  const cpp_int unit = cpp_int(1) << shift;
  cpp_int quotient = value / unit;
  if (quotient * unit > value) --quotient;
  return quotient;
}

// Numbers of every magnitude, the smallest and largest among them.
template <typename Signed, typename Unsigned>
Signed any(std::mt19937_64& random) {
  const int width = static_cast<int>(8 * sizeof(Signed));
  Unsigned bits = random();
  if (width > 64) bits = (bits << (width / 2)) | random();
  const auto shift = static_cast<int>(random() % static_cast<uint64_t>(width));
  return static_cast<Signed>(static_cast<Signed>(bits) >> shift);
}

I32F32 any_i32f32(std::mt19937_64& random) { return {any<int64_t, uint64_t>(random)}; }
I64F64 any_i64f64(std::mt19937_64& random) { return {any<int128, uint128>(random)}; }

TEST(I32F32, ProductsFloorAndQuotientsTruncateAsBigIntegersSay) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kDraws; ++i) {
    const I32F32 a = any_i32f32(random);
    const I32F32 b = any_i32f32(random);
    EXPECT_EQ(big((a * b).bits), clamp_bits(floor_shift(big(a.bits) * b.bits, 32), 64));
    EXPECT_EQ(big((a + b).bits), clamp_bits(big(a.bits) + b.bits, 64));
    EXPECT_EQ(big((a - b).bits), clamp_bits(big(a.bits) - b.bits, 64));
    if (b.bits == 0) continue;
    const cpp_int quotient = (big(a.bits) << 32) / b.bits;
    EXPECT_EQ(big((a / b).bits), clamp_bits(quotient, 64));
    const bool fits = clamp_bits(quotient, 64) == quotient;
    EXPECT_EQ(big(safe_div(a, b).bits), fits ? quotient : cpp_int(0));
  }
}

TEST(I64F64, ProductsFloorAndQuotientsTruncateAsBigIntegersSay) {
  std::mt19937_64 random(2);
  for (int i = 0; i < kDraws; ++i) {
    const I64F64 a = any_i64f64(random);
    const I64F64 b = any_i64f64(random);
    ASSERT_EQ(big((a * b).bits), clamp_bits(floor_shift(big(a.bits) * big(b.bits), 64), 128));
    ASSERT_EQ(big((a + b).bits), clamp_bits(big(a.bits) + big(b.bits), 128));
    if (b.bits == 0) continue;
    ASSERT_EQ(big((a / b).bits), clamp_bits((big(a.bits) << 64) / big(b.bits), 128));
  }
}

TEST(U96F32, ProductsFloorAndSaturate) {
  std::mt19937_64 random(3);
  const cpp_int largest = (cpp_int(1) << 128) - 1;
  for (int i = 0; i < kDraws; ++i) {
    const U96F32 a{static_cast<uint128>(any<int128, uint128>(random))};
    const U96F32 b{static_cast<uint128>(any<int128, uint128>(random))};
    const cpp_int exact = (cpp_int(a.bits) * cpp_int(b.bits)) >> 32;
    ASSERT_EQ(cpp_int((a * b).bits), exact > largest ? largest : exact);
  }
}

TEST(WideIntegers, ShiftDivideIsLongDivision) {
  std::mt19937_64 random(4);
  const cpp_int largest = (cpp_int(1) << 128) - 1;
  for (int i = 0; i < kDraws; ++i) {
    const auto a = static_cast<uint128>(any<int128, uint128>(random));
    const auto b = static_cast<uint128>(any<int128, uint128>(random)) | 1;
    const int shift = static_cast<int>(random() % 128);
    const cpp_int quotient = (cpp_int(a) << shift) / cpp_int(b);
    ASSERT_EQ(cpp_int(shift_divide(a, shift, b)), quotient > largest ? largest : quotient);
    const cpp_int product = (cpp_int(a) * cpp_int(b)) >> shift;
    ASSERT_EQ(cpp_int(multiply_shift(a, b, shift)), product > largest ? largest : product);
  }
  EXPECT_EQ(shift_divide(5, 3, 0), ~uint128{0});
}

TEST(I32F32, DivisionByZeroIsZeroOrTheLargest) {
  EXPECT_EQ(safe_div(kOne, kZero), kZero);
  EXPECT_EQ(kOne / kZero, I32F32::max());
  EXPECT_EQ(kZero / kZero, kZero);
  EXPECT_EQ((kZero - kOne) / kZero, I32F32{std::numeric_limits<int64_t>::min()});
  EXPECT_EQ(safe_div(I32F32::max(), I32F32{1}), kZero) << "a quotient that does not fit is 0";
  EXPECT_EQ(I32F32::max() / I32F32{1}, I32F32::max());
}

TEST(I32F32, NegativeProductsGoDownAndNegativeQuotientsUp) {
  const I32F32 least{1};
  const I32F32 half = kOne / I32F32::from_int(2);
  EXPECT_EQ((kZero - least) * half, I32F32{-1});
  EXPECT_EQ(I32F32{-1} / I32F32::from_int(2), kZero);
}

TEST(I32F32, EveryShareSurvivesWithinOne) {
  for (int share = 0; share <= 65'535; ++share) {
    const auto value = static_cast<uint16_t>(share);
    const int back = I32F32::from_share(value).to_share();
    // The ratio was rounded down, so the way back may lose one, and never gains.
    ASSERT_TRUE(back == share || back == share - 1) << share;
  }
  EXPECT_EQ(I32F32::from_share(65'535), kOne);
  EXPECT_EQ(kOne.to_share(), 65'535);
  EXPECT_EQ(I32F32::from_int(7).to_share(), 65'535);
  EXPECT_EQ((kZero - kOne).to_share(), 0);
}

TEST(I32F32, RoundingGoesToTheNearestAndHalvesUp) {
  const I32F32 half = kOne / I32F32::from_int(2);
  EXPECT_EQ((I32F32::from_int(3) + half).round_to_u16(), 4);
  EXPECT_EQ((I32F32::from_int(3) + half - I32F32{1}).round_to_u16(), 3);
  EXPECT_EQ(I32F32::from_int(70'000).round_to_u16(), 65'535);
  EXPECT_EQ(I32F32::from_int(-3).round_to_u16(), 0);
}

TEST(Normalise, SharesSumToOneWithinTheirRounding) {
  std::vector<I32F32> values = {I32F32::from_int(1), I32F32::from_int(2), I32F32::from_int(4)};
  normalise(values);
  EXPECT_EQ(values[0].bits, I32F32::kOneBits / 7);
  EXPECT_LE(sum(values), kOne);
  EXPECT_GE(sum(values).bits, I32F32::kOneBits - 3);
  std::vector<I32F32> zeros(3);
  normalise(zeros);
  EXPECT_EQ(sum(zeros), kZero);
}

TEST(Exp, IsTheExponentialWithinItsSeries) {
  for (double x = -20; x <= 20; x += 0.0625) {
    const I32F32 at{static_cast<int64_t>(x * static_cast<double>(I32F32::kOneBits))};
    const double got =
        static_cast<double>(exp_safe(at).bits) / static_cast<double>(I32F32::kOneBits);
    // 31 terms are short by 0.9 % at 20; below 0 the quotient has at least 2^-32.
    const double tolerance = (std::abs(x) > 10 ? 1e-2 : 2e-7) * std::exp(x) + 3e-10;
    EXPECT_NEAR(got, std::exp(x), tolerance) << "x " << x;
  }
}

TEST(Exp, HasTheRuntimesOwnEdges) {
  EXPECT_EQ(exp_safe(kZero), kOne);
  EXPECT_EQ(exp_safe(kOne).bits, int64_t{22'802'600} << 9);
  EXPECT_EQ(exp_safe(kZero - kOne), kOne / exp_safe(kOne));
  EXPECT_EQ(exp_safe(I32F32::max()), exp_safe(I32F32::from_int(20)));
  EXPECT_EQ(exp_safe(I32F32::from_int(-1000)), exp_safe(I32F32::from_int(-20)));
}

}  // namespace
}  // namespace chain
