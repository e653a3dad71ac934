// A product of two matrices, as the backend asks a machine for it.
#pragma once

#include "train/backend.h"

namespace train::cuda {

// out (M, N) = scale * a (M, K) b (K, N) + keep * addend (M, N), summed in fp32, rounded once.
// Row-major; a is read as its transpose from (K, M), b from (N, K). With keep = 0 the addend is not
// looked at. It may be `out` itself, and has its type.
struct Product {
  void* out = nullptr;
  Precision out_type = Precision::kFp32;
  const void* a = nullptr;
  bool a_transposed = false;
  const void* b = nullptr;
  bool b_transposed = false;
  Precision type = Precision::kFp32;  // Of a and b.
  int M = 0;
  int N = 0;
  int K = 0;
  float scale = 1;
  const void* addend = nullptr;
  float keep = 0;
};

}  // namespace train::cuda
