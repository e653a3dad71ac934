#include "chain/embedded/sparse.h"

#include <algorithm>

namespace chain {

// out[j] = sum over i of factor[i] * matrix[i, j]
Vector weighted_columns(const Matrix& matrix, const Vector& factor) {
  Vector out(factor.size());
  for (size_t i = 0; i < matrix.size(); ++i) {
    for (const auto& [j, value] : matrix[i]) out[j] = out[j] + factor[i] * value;
  }
  return out;
}

// out[i] = sum over j of matrix[i, j] * factor[j]
Vector weighted_rows(const Matrix& matrix, const Vector& factor) {
  Vector out(matrix.size());
  for (size_t i = 0; i < matrix.size(); ++i) {
    for (const auto& [j, value] : matrix[i]) out[i] = out[i] + value * factor[j];
  }
  return out;
}

void normalise_row(Row& row) {
  I32F32 total;
  for (const Entry& entry : row) total = total + entry.value;
  if (total <= kZero) return;
  for (Entry& entry : row) entry.value = safe_div(entry.value, total);
}

namespace {

void divide_columns(Matrix& matrix, const Vector& divisor) {
  for (Row& row : matrix) {
    for (auto& [j, value] : row) {
      if (divisor[j] != kZero) value = safe_div(value, divisor[j]);
    }
  }
}

}  // namespace

void normalise_columns(Matrix& matrix) {
  Vector total(matrix.size());
  for (const Row& row : matrix) {
    for (const auto& [j, value] : row) total[j] = total[j] + value;
  }
  divide_columns(matrix, total);
}

void upscale_columns(Matrix& matrix) {
  Vector highest(matrix.size());
  for (const Row& row : matrix) {
    for (const auto& [j, value] : row) highest[j] = std::max(highest[j], value);
  }
  divide_columns(matrix, highest);
}

Vector dense(const Row& row, size_t columns) {
  Vector out(columns);
  for (const auto& [j, value] : row) out[j] = value;
  return out;
}

Row sparse(const Vector& values) {
  Row out;
  for (size_t j = 0; j < values.size(); ++j) {
    if (values[j] > kZero) out.push_back({static_cast<uint16_t>(j), values[j]});
  }
  return out;
}

Matrix moving_average(const Matrix& fresh, const Matrix& old, I32F32 share) {
  Matrix out(fresh.size());
  for (size_t i = 0; i < fresh.size(); ++i) {
    Vector row(fresh.size());
    for (const auto& [j, value] : fresh[i]) row[j] = row[j] + share * value;
    for (const auto& [j, value] : old[i]) row[j] = row[j] + (kOne - share) * value;
    out[i] = sparse(row);
  }
  return out;
}

}  // namespace chain
