#include "train/newton_schulz.h"

#include <cmath>
#include <utility>
#include <vector>

#include "common/check.h"

namespace train {
namespace {

constexpr float kA = 3.4445F;
constexpr float kB = -4.7750F;
constexpr float kC = 2.0315F;
constexpr double kLeastNorm = 1e-7;  // So that zeros stay zeros.

size_t area(int rows, int cols) { return static_cast<size_t>(rows) * static_cast<size_t>(cols); }

}  // namespace

NewtonSchulz::NewtonSchulz(Backend& backend, uint32_t iterations)
    : backend_(backend),
      iterations_(iterations),
      next_(backend),
      transposed_(backend),
      square_(backend),
      factor_(backend),
      identity_(backend) {}

void NewtonSchulz::orthogonalise(float* x, int rows, int cols) {
  CHECK(rows > 0 && cols > 0);
  const int n = std::min(rows, cols);
  const size_t size = area(rows, cols);
  next_.reserve(size);
  square_.reserve(area(n, n));
  factor_.reserve(area(n, n));
  if (rows > cols) {
    transposed_.reserve(size);
    if (identity_size_ != n) {
      std::vector<float> identity(area(n, n));
      for (size_t i = 0; i < identity.size(); i += static_cast<size_t>(n) + 1) identity[i] = 1;
      identity_.upload(identity);
      identity_size_ = n;
    }
  }
  const double norm = std::sqrt(backend_.sum_of_squares(x, size));
  backend_.combine(x, static_cast<float>(1.0 / (norm + kLeastNorm)), x, 0.0F, x, size);
  float* from = x;
  float* to = next_.data();
  for (uint32_t i = 0; i < iterations_; ++i) {
    iterate(to, from, rows, cols);
    std::swap(from, to);
  }
  if (from != x) backend_.combine(x, 1.0F, from, 0.0F, from, size);
}

// to = a x + (b S + c S^2) x,  S = x x^T; of a tall x,  to = a x + x (b S + c S^2),  S = x^T x.
void NewtonSchulz::iterate(float* to, const float* x, int rows, int cols) {
  const bool tall = rows > cols;
  const int n = tall ? cols : rows;
  const int other = tall ? rows : cols;
  const float* wide = x;
  if (tall) {  // I x^T
    backend_.product(transposed_.data(), identity_.data(), x, true, cols, rows, cols, 1.0F, 0.0F);
    wide = transposed_.data();
  }
  float* square = square_.data();
  float* factor = factor_.data();
  backend_.product(square, wide, wide, true, n, n, other, 1.0F, 0.0F);
  backend_.combine(factor, 1.0F, square, 0.0F, square, area(n, n));
  backend_.product(factor, square, square, false, n, n, n, kC, kB);
  backend_.combine(to, 1.0F, x, 0.0F, x, area(rows, cols));
  if (tall) {
    backend_.product(to, x, factor, false, rows, cols, cols, 1.0F, kA);
  } else {
    backend_.product(to, factor, x, false, rows, cols, rows, 1.0F, kA);
  }
}

}  // namespace train
