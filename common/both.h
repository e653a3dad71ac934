// Code for a card and for the host alike: how it is marked, and arithmetic whose operations are
// each rounded on their own, whatever the compiler is told. So both get the same bits.
#pragma once

#include <cmath>

#ifdef __CUDACC__
#define MUSTER_BOTH __host__ __device__ __forceinline__
#define MUSTER_UNROLL _Pragma("unroll")
#else
#define MUSTER_BOTH inline
#define MUSTER_UNROLL
#endif

namespace common {

MUSTER_BOTH float product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
MUSTER_BOTH float sum(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}
MUSTER_BOTH float difference(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fsub_rn(a, b);
#else
  return a - b;
#endif
}
MUSTER_BOTH float quotient(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fdiv_rn(a, b);
#else
  return a / b;
#endif
}
MUSTER_BOTH float root(float a) {
#ifdef __CUDA_ARCH__
  return __fsqrt_rn(a);
#else
  return ::sqrtf(a);
#endif
}
MUSTER_BOTH double product(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}
MUSTER_BOTH double sum(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dadd_rn(a, b);
#else
  return a + b;
#endif
}

}  // namespace common
