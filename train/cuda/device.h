// The threads of a card's block, as kernels' bodies see them (train/cuda/both.h). For nvcc only.
#pragma once

#include <cuda_runtime.h>

#include "train/cuda/fragments.h"

namespace train::cuda {

inline constexpr unsigned kAllLanes = 0xFFFFFFFFU;

// N threads in a row; a multiple of 32.
template <int N>
class DeviceBlock {
 public:
  static constexpr int kThreads = N;

  template <typename T>
  struct Local {
    T value;
    __device__ __forceinline__ T& operator[](int) { return value; }
    __device__ __forceinline__ const T& operator[](int) const { return value; }
  };

  __device__ __forceinline__ int index() const { return static_cast<int>(blockIdx.x); }
  __device__ __forceinline__ void meet() { __syncthreads(); }
  template <typename F>
  __device__ __forceinline__ void step(const F& f) {
    f(static_cast<int>(threadIdx.x));
  }
  template <typename F>
  __device__ __forceinline__ void each(const F& f) {
    f(static_cast<int>(threadIdx.x));
    __syncthreads();
  }

  template <int kSpan, typename F>
  __device__ __forceinline__ void lanes_sum(const F& f) {
    auto& value = f(static_cast<int>(threadIdx.x));
    value = over_lanes<kSpan>(value, Plus());
  }
  template <int kSpan, typename F>
  __device__ __forceinline__ void lanes_most(const F& f) {
    float& value = f(static_cast<int>(threadIdx.x));
    value = over_lanes<kSpan>(value, Larger());
  }
  // Of a warp's lanes as above, then of warps in their order.
  template <typename F>
  __device__ __forceinline__ auto sum(const F& f) {
    return over_warps(over_lanes<kLanes>(f(static_cast<int>(threadIdx.x)), Plus()), Plus());
  }
  template <typename F>
  __device__ __forceinline__ float most(const F& f) {
    return over_warps(over_lanes<kLanes>(f(static_cast<int>(threadIdx.x)), Larger()), Larger());
  }

  template <bool kTurned, typename F>
  __device__ __forceinline__ void load_matrices(const F& f) {
    const MatrixRow row = f(static_cast<int>(threadIdx.x));
    const auto from = static_cast<uint32_t>(__cvta_generic_to_shared(row.from));
    if constexpr (kTurned) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(row.to[0]), "=r"(row.to[1]), "=r"(row.to[2]), "=r"(row.to[3])
                   : "r"(from)
                   : "memory");
    } else {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(row.to[0]), "=r"(row.to[1]), "=r"(row.to[2]), "=r"(row.to[3])
                   : "r"(from)
                   : "memory");
    }
  }
  template <typename F>
  __device__ __forceinline__ void multiply(const F& f) {
    const Operands of = f(static_cast<int>(threadIdx.x));
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(of.d[0]), "+f"(of.d[1]), "+f"(of.d[2]), "+f"(of.d[3])
        : "r"(of.a[0]), "r"(of.a[1]), "r"(of.a[2]), "r"(of.a[3]), "r"(of.b0), "r"(of.b1));
  }

  __device__ __forceinline__ void copy(Bf16* to, const Bf16* from, bool inside) {
    const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(at), "l"(__cvta_generic_to_global(from)), "r"(inside ? 16 : 0)
                 : "memory");
  }
  __device__ __forceinline__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
  template <int kOpen>
  __device__ __forceinline__ void arrive() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kOpen) : "memory");
    __syncthreads();
  }

 private:
  struct Plus {
    template <typename T>
    __device__ __forceinline__ T operator()(T a, T b) const {
      return a + b;
    }
  };
  struct Larger {
    __device__ __forceinline__ float operator()(float a, float b) const { return larger(a, b); }
  };

  // Butterflies: every lane ends with the same.
  template <int kSpan, typename T, typename F>
  __device__ __forceinline__ T over_lanes(T value, const F& fold) {
#pragma unroll
    for (int step = kSpan / 2; step > 0; step /= 2) {
      value = fold(value, __shfl_xor_sync(kAllLanes, value, step));
    }
    return value;
  }
  // Every warp's value, put together by everybody in the same order.
  template <typename T, typename F>
  __device__ __forceinline__ T over_warps(T mine, const F& fold) {
    __shared__ T parts[kThreads / kLanes];
    if (threadIdx.x % kLanes == 0) parts[threadIdx.x / kLanes] = mine;
    __syncthreads();
    T all = parts[0];
#pragma unroll
    for (int warp = 1; warp < kThreads / kLanes; ++warp) all = fold(all, parts[warp]);
    __syncthreads();
    return all;
  }
};

}  // namespace train::cuda
