// Goal: the transform is the orthonormal DCT-II of each tile, and its bits are the same everywhere.
// Method: plain sums of long double cosines; the inverse; unit vectors; a committed hash of bits.
#include "compress/dct.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "common/bytes.h"
#include "common/hash.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::gaussian;
using Values = std::vector<float>;

long double cosine(uint32_t n, uint32_t k, uint32_t i) {
  const long double angle = std::numbers::pi_v<long double> * (2 * i + 1) * k / (2.0L * n);
  return std::sqrt((k == 0 ? 1.0L : 2.0L) / n) * std::cos(angle);
}

// Coefficient (u, v), as its definition says.
double oracle(const Values& tile, uint32_t rows, uint32_t cols, uint32_t u, uint32_t v) {
  long double sum = 0;
  for (uint32_t i = 0; i < rows; ++i) {
    for (uint32_t j = 0; j < cols; ++j) {
      sum += cosine(rows, u, i) * cosine(cols, v, j) * static_cast<long double>(tile[i * cols + j]);
    }
  }
  return static_cast<double>(sum);
}

TEST(Dct, IsTheSumOfCosinesForEveryShape) {
  for (const auto& [rows, cols] : std::vector<std::pair<uint32_t, uint32_t>>{
           {8, 8}, {2, 3}, {7, 5}, {13, 1}, {1, 13}, {1, 64}, {16, 31}}) {
    const Values tile = gaussian(uint64_t{rows} * cols, rows * 100 + cols);
    Values coefficients = tile;
    dct(coefficients, rows, cols);
    for (uint32_t u = 0; u < rows; ++u) {
      for (uint32_t v = 0; v < cols; ++v) {
        ASSERT_NEAR(coefficients[u * cols + v], oracle(tile, rows, cols, u, v), 3e-6)
            << rows << " x " << cols << " at " << u << ", " << v;
      }
    }
  }
}

TEST(Dct, OfAWholeTileIsTheSumOfCosines) {
  const Values tile = gaussian(4096, 1);
  Values coefficients = tile;
  dct(coefficients, 64, 64);
  for (uint32_t at = 0; at < 4096; at += 149) {
    ASSERT_NEAR(coefficients[at], oracle(tile, 64, 64, at / 64, at % 64), 1e-5) << at;
  }
}

TEST(Dct, AVectorIsTransformedInRunsOf64) {
  const Values vector = gaussian(64 * 66 + 5, 2);
  Values coefficients = vector;
  dct(coefficients, 1, static_cast<uint32_t>(vector.size()));
  for (size_t first = 0; first < vector.size(); first += 64) {
    const auto length = static_cast<uint32_t>(std::min<size_t>(64, vector.size() - first));
    const auto begin = vector.begin() + static_cast<ptrdiff_t>(first);
    const Values run(begin, begin + length);
    for (uint32_t k = 0; k < length; k += 3) {
      ASSERT_NEAR(coefficients[first + k], oracle(run, 1, length, 0, k), 3e-6) << first;
    }
  }
}

TEST(Dct, TheInverseGivesTheValuesBackAndNothingChangesTheNorm) {
  for (uint32_t rows = 1; rows <= 64; rows += 7) {
    for (uint32_t cols = 1; cols <= 64; cols += 9) {
      const Values tile = gaussian(uint64_t{rows} * cols, rows + cols);
      Values there = tile;
      dct(there, rows, cols);
      Values back = there;
      inverse_dct(back, rows, cols);
      double before = 0, after = 0;
      for (size_t i = 0; i < tile.size(); ++i) {
        ASSERT_NEAR(back[i], tile[i], 3e-6) << rows << " x " << cols;
        before += double{tile[i]} * double{tile[i]};
        after += double{there[i]} * double{there[i]};
      }
      ASSERT_NEAR(after, before, 1e-5 * before);
    }
  }
}

TEST(Dct, AConstantIsOneCoefficient) {
  Values tile(64 * 64, 1.0f);
  dct(tile, 64, 64);
  EXPECT_FLOAT_EQ(tile[0], 64.0f);
  tile[0] = 0;
  for (const float rest : tile) ASSERT_NEAR(rest, 0, 1e-5);
}

TEST(Dct, CosinesAreRightToTheLastDigitsAndExactWhereTheyAreSimple) {
  for (uint32_t denominator = 1; denominator <= 128; ++denominator) {
    for (uint32_t numerator = 0; numerator < 4 * denominator; ++numerator) {
      const long double angle = std::numbers::pi_v<long double> * numerator / denominator;
      ASSERT_NEAR(cos_pi(numerator, denominator), static_cast<double>(std::cos(angle)), 3e-16);
    }
  }
  EXPECT_EQ(cos_pi(0, 7), 1);
  EXPECT_EQ(cos_pi(7, 7), -1);
  EXPECT_EQ(cos_pi(64, 128), 0);
  EXPECT_EQ(cos_pi(3 * 64, 128), 0);
}

// If this fails on one machine only, its updates fork from the others'.
TEST(Dct, TheBitsAreTheCommittedOnes) {
  common::Hasher hasher;
  for (uint32_t side = 1; side <= 64; ++side) {
    Values tile = gaussian(uint64_t{side} * 64, side);
    dct(tile, side, 64);
    hasher.update({reinterpret_cast<const uint8_t*>(tile.data()), tile.size() * sizeof(float)});
    inverse_dct(tile, 64, side);
    hasher.update({reinterpret_cast<const uint8_t*>(tile.data()), tile.size() * sizeof(float)});
  }
  EXPECT_EQ(common::to_hex(hasher.finish().bytes),
            "be85b2b6aafd06d0ec0f5d9c1ac3223eebe929e35263169ad15e99e65ef3e549");
}

}  // namespace
}  // namespace compress
