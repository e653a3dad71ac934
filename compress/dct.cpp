#include "compress/dct.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "common/check.h"
#include "compress/simd/row_product.h"

namespace compress {
namespace {

// x - x^3/3! + ... or 1 - x^2/2! + ..., by Horner; |x| <= pi / 4: the next term is below 2^-60.
double sine(double x) {
  double sum = 1;
  for (int n = 16; n > 0; n -= 2) sum = 1 - x * x / (n * (n + 1)) * sum;
  return x * sum;
}
double cosine(double x) {
  double sum = 1;
  for (int n = 17; n > 0; n -= 2) sum = 1 - x * x / (n * (n + 1)) * sum;
  return sum;
}

// The DCT of n points, taken apart: where k is even, cosines of i and of n - 1 - i are alike, where
// it is odd they are opposite; so the sums of such pairs of values have one matrix of a quarter of
// the size, their differences another. An odd n has a middle value, which belongs to the sums: its
// cosine is zero where k is odd.
struct Basis {
  explicit Basis(uint32_t n) : even_size((n + 1) / 2), odd_size(n / 2) {
    const auto fill = [n](uint32_t size, uint32_t parity, std::vector<float>& by_k,
                          std::vector<float>& by_i) {
      by_k.resize(uint64_t{size} * size);
      by_i.resize(by_k.size());
      for (uint32_t row = 0; row < size; ++row) {
        const uint32_t k = 2 * row + parity;
        const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / n);
        for (uint32_t i = 0; i < size; ++i) {
          const auto value = static_cast<float>(scale * cos_pi((2 * i + 1) * k, 2 * n));
          by_k[uint64_t{row} * size + i] = by_i[uint64_t{i} * size + row] = value;
        }
      }
    };
    fill(even_size, 0, even, even_back);
    fill(odd_size, 1, odd, odd_back);
  }

  uint32_t even_size;
  uint32_t odd_size;
  std::vector<float> even, odd;            // [k / 2][i]
  std::vector<float> even_back, odd_back;  // [i][k / 2]
};

const Basis& basis(uint32_t n) {
  static const std::vector<Basis> all = [] {
    std::vector<Basis> of;
    for (uint32_t size = 1; size <= kDctMax; ++size) of.emplace_back(size);
    return of;
  }();
  return all[n - 1];
}

// A tile with room for the largest. Columns beyond the tile's are zero, and computed along: whole
// rows of one length are what becomes vector instructions.
using Row = std::array<float, kDctMax>;
using Square = std::array<Row, kDctMax>;
static_assert(kDctMax == simd::kRowProductCols);

// Transforms each column's first n values.
void forward(Square& square, uint32_t n) {
  const Basis& of = basis(n);
  Square sums, differences;
  for (uint32_t i = 0; i < of.odd_size; ++i) {
    const Row& a = square[i];
    const Row& b = square[n - 1 - i];
    for (uint32_t j = 0; j < kDctMax; ++j) {
      sums[i][j] = a[j] + b[j];
      differences[i][j] = a[j] - b[j];
    }
  }
  if (n % 2 == 1) sums[n / 2] = square[n / 2];
  simd::row_product(of.even.data(), of.even_size, of.even_size, sums[0].data(), kDctMax,
                    square[0].data(), 2 * kDctMax);
  if (n == 1) return;
  simd::row_product(of.odd.data(), of.odd_size, of.odd_size, differences[0].data(), kDctMax,
                    square[1].data(), 2 * kDctMax);
}

// Its transpose, which is its inverse.
void backward(Square& square, uint32_t n) {
  const Basis& of = basis(n);
  Square even, odd;
  simd::row_product(of.even_back.data(), of.even_size, of.even_size, square[0].data(), 2 * kDctMax,
                    even[0].data(), kDctMax);
  if (n > 1) {
    simd::row_product(of.odd_back.data(), of.odd_size, of.odd_size, square[1].data(), 2 * kDctMax,
                      odd[0].data(), kDctMax);
  }
  for (uint32_t i = 0; i < of.odd_size; ++i) {
    for (uint32_t j = 0; j < kDctMax; ++j) {
      square[i][j] = even[i][j] + odd[i][j];
      square[n - 1 - i][j] = even[i][j] - odd[i][j];
    }
  }
  if (n % 2 == 1) square[n / 2] = even[n / 2];
}

void transpose(Square& square) {
  for (uint32_t i = 0; i < kDctMax; ++i) {
    for (uint32_t j = 0; j < i; ++j) std::swap(square[i][j], square[j][i]);
  }
}

using Transform = void (*)(Square&, uint32_t);

void along_both(std::span<float> tile, uint32_t rows, uint32_t cols, Transform transform) {
  Square square{};
  for (uint32_t i = 0; i < rows; ++i) {
    std::copy_n(tile.begin() + i * cols, cols, square[i].begin());
  }
  transform(square, rows);
  transpose(square);
  transform(square, cols);
  transpose(square);
  for (uint32_t i = 0; i < rows; ++i) {
    std::copy_n(square[i].begin(), cols, tile.begin() + i * cols);
  }
}

// Runs are columns here, so that 64 of them are transformed at once.
void along_runs(std::span<float> run, uint32_t length, Transform transform) {
  Square square{};
  const auto runs = static_cast<uint32_t>(run.size() / length);
  for (uint32_t r = 0; r < runs; ++r) {
    for (uint32_t i = 0; i < length; ++i) square[i][r] = run[r * length + i];
  }
  transform(square, length);
  for (uint32_t r = 0; r < runs; ++r) {
    for (uint32_t i = 0; i < length; ++i) run[r * length + i] = square[i][r];
  }
}

void along(std::span<float> tile, uint32_t rows, uint32_t cols, Transform transform) {
  CHECK(tile.size() == uint64_t{rows} * cols && rows <= kDctMax);
  if (rows > 1) {
    CHECK(cols <= kDctMax);
    return along_both(tile, rows, cols, transform);
  }
  while (tile.size() >= kDctMax) {
    const size_t runs = std::min<size_t>(tile.size() / kDctMax, kDctMax);
    along_runs(tile.first(runs * kDctMax), kDctMax, transform);
    tile = tile.subspan(runs * kDctMax);
  }
  if (!tile.empty()) along_runs(tile, static_cast<uint32_t>(tile.size()), transform);
}

}  // namespace

double cos_pi(uint32_t numerator, uint32_t denominator) {
  const uint64_t half_turn = denominator;
  uint64_t angle = numerator % (2 * half_turn);
  if (angle > half_turn) angle = 2 * half_turn - angle;  // cos(-x) = cos(x)
  const bool negative = 2 * angle > half_turn;           // cos(pi - x) = -cos(x)
  if (negative) angle = half_turn - angle;
  double result;  // From here 0 <= angle <= pi / 2; cos(pi / 2 - x) = sin(x).
  if (4 * angle <= half_turn) {
    result = cosine(std::numbers::pi * static_cast<double>(angle) / denominator);
  } else {
    const auto rest = static_cast<double>(half_turn - 2 * angle);
    result = sine(std::numbers::pi * rest / (2.0 * denominator));
  }
  return negative ? -result : result;
}

void dct(std::span<float> tile, uint32_t rows, uint32_t cols) { along(tile, rows, cols, forward); }

void inverse_dct(std::span<float> tile, uint32_t rows, uint32_t cols) {
  along(tile, rows, cols, backward);
}

}  // namespace compress
