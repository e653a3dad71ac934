// Products of matrices by OpenBLAS, on the calling thread.
#pragma once

namespace train::cpu {

// A row-major matrix within a larger one: `stride` values from row to row.
struct Matrix {
  const float* data;
  int stride;
  bool transposed = false;  // To be read as its transpose.
};

// out (M, N) = scale * a (M, K) b (K, N) + keep * out,   shapes as read; keep = 0 overwrites, even
// NaN.
void gemm(float* out, int out_stride, Matrix a, Matrix b, int M, int N, int K, float scale = 1.0F,
          float keep = 0.0F);

}  // namespace train::cpu
