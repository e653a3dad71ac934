// How the sums of attention's tiles, which lie in fp32 as the products left them, become rows of
// its results.
#pragma once

#include <cstddef>

#include "train/bf16.h"

namespace train::cpu {

// out[i * out_stride + j] = in[j * in_stride + i] for i < rows, j < columns.
void transpose(float* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride, int rows,
               int columns);
// out[i * stride + j] = factor[i] * in[j * in_stride + i], likewise.
// Of `in` and `factor` as many values are read as 16 divides.
void write_transposed(float* out, ptrdiff_t stride, const float* in, ptrdiff_t in_stride,
                      const float* factor, int rows, int columns);
void write_transposed(Bf16* out, ptrdiff_t stride, const float* in, ptrdiff_t in_stride,
                      const float* factor, int rows, int columns);
// out[i * out_stride + j] = factor * in[i * in_stride + j], likewise.
void write_scaled(float* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                  float factor, int rows, int columns);
void write_scaled(Bf16* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                  float factor, int rows, int columns);
// out[i] = sum over j of a[i * stride + j] * b[i * stride + j], likewise.
void dot_rows(float* out, const float* a, const float* b, ptrdiff_t stride, int rows, int columns);
void dot_rows(float* out, const Bf16* a, const Bf16* b, ptrdiff_t stride, int rows, int columns);

}  // namespace train::cpu
