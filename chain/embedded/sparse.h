// Sparse square matrices of fixed-point numbers: the arithmetic of an epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/embedded/fixed_point.h"

namespace chain {

// One number of a sparse matrix; a row keeps the order in which the chain stores it.
struct Entry {
  uint16_t column = 0;
  I32F32 value;
};
using Row = std::vector<Entry>;
using Matrix = std::vector<Row>;  // (n, sparse n)
using Vector = std::vector<I32F32>;

// out[j] = sum over i of factor[i] * matrix[i, j]
Vector weighted_columns(const Matrix& matrix, const Vector& factor);
// out[i] = sum over j of matrix[i, j] * factor[j]
Vector weighted_rows(const Matrix& matrix, const Vector& factor);

// Each divides by a sum, or by a column's highest entry; a sum or highest of 0 leaves things alone.
void normalise_row(Row& row);
void normalise_columns(Matrix& matrix);
void upscale_columns(Matrix& matrix);

// All columns of a row; of a column that stands twice, the later. And back: entries above 0,
// ascending.
Vector dense(const Row& row, size_t columns);
Row sparse(const Vector& values);

// share * fresh + (1 - share) * old, entry by entry; what is not above 0 is dropped.
Matrix moving_average(const Matrix& fresh, const Matrix& old, I32F32 share);

// Finds the values of one row at columns asked for in ascending order, the runtime's way: a cursor
// that only moves forward. In a row that is not ascending, it therefore misses what lies behind it,
// as the chain does.
class Cursor {
 public:
  explicit Cursor(const Row& row) : row_(row) {}

  I32F32 at(size_t column) {
    while (next_ < row_.size() && row_[next_].column < column) ++next_;
    return next_ < row_.size() && row_[next_].column == column ? row_[next_].value : kZero;
  }

 private:
  const Row& row_;
  size_t next_ = 0;
};

}  // namespace chain
