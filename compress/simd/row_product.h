// Sums of rows of 64, each times a factor: what a transform of the columns of a tile is made of.
#pragma once

#include <cstddef>

namespace compress::simd {

inline constexpr size_t kRowProductCols = 64;

// out[r][c] = sum over t of factors[r][t] in[t][c],  for r < rows, t < terms, c < kRowProductCols
//
// Sums start with 0 and go by ascending t, every operation rounded on its own: the same bits from
// every instruction set. Rows of `in` and of `out` are so many floats apart, those of `factors`
// `terms`. `out` is neither of the others.
void row_product(const float* factors, size_t rows, size_t terms, const float* in, size_t in_stride,
                 float* out, size_t out_stride);

}  // namespace compress::simd
