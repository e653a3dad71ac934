#include "train/cpu/gemm.h"

#include <cblas.h>

#include <mutex>

namespace train::cpu {
namespace {

// OpenBLAS in its OpenMP flavour asks OpenMP how many threads to use, and OpenMP keeps that number
// for each thread: a new one would spread its product over all cores, and the bits would depend on
// how many there are.
bool work_alone() {
  static std::mutex one_at_a_time;  // It also adjusts buffers that all threads share.
  const std::lock_guard lock(one_at_a_time);
  openblas_set_num_threads(1);
  return true;
}

}  // namespace

void gemm(float* out, int out_stride, Matrix a, Matrix b, int M, int N, int K, float scale,
          float keep) {
  [[maybe_unused]] static thread_local const bool alone = work_alone();
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, M, N, K, scale, a.data, a.stride, b.data,
              b.stride, keep, out, out_stride);
}

}  // namespace train::cpu
