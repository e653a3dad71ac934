// The threads of a card's block, as kernels' bodies see them (compress/cuda/both.h). For nvcc only.
//
// Every step ends with a barrier, so that what shared memory is read in one step was written in an
// earlier one, and is not written to before all have read.
#pragma once

#include "compress/cuda/both.h"

namespace compress::cuda {

inline constexpr uint32_t kAllLanes = 0xFFFFFFFF;

// A thread's own.
template <typename T>
class ThreadLocal {
 public:
  __device__ __forceinline__ T& operator[](uint32_t) { return value_; }
  __device__ __forceinline__ const T& operator[](uint32_t) const { return value_; }

 private:
  T value_;
};

// The sum over the lanes before; `all` becomes that of all lanes.
__device__ __forceinline__ uint32_t sum_before(uint32_t x, uint32_t lane, uint32_t& all) {
  uint32_t to_here = x;
#pragma unroll
  for (uint32_t step = 1; step < 32; step *= 2) {
    const uint32_t other = __shfl_up_sync(kAllLanes, to_here, step);
    if (lane >= step) to_here += other;
  }
  all = __shfl_sync(kAllLanes, to_here, 31);
  return to_here - x;
}

class DeviceWarp {
 public:
  template <typename T>
  using Local = ThreadLocal<T>;

  __device__ __forceinline__ DeviceWarp() : index_(threadIdx.x / 32), lane_(threadIdx.x % 32) {}

  __device__ __forceinline__ uint32_t index() const { return index_; }
  __device__ __forceinline__ void wait() { __syncwarp(); }
  template <typename F>
  __device__ __forceinline__ void each(const F& f) {
    f(lane_);
    __syncwarp();
  }
  template <typename F>
  __device__ __forceinline__ uint32_t ballot(const F& f) {
    const uint32_t bits = __ballot_sync(kAllLanes, f(lane_));
    __syncwarp();
    return bits;
  }
  template <typename F>
  __device__ __forceinline__ uint32_t sum(const F& f) {
    const uint32_t all = __reduce_add_sync(kAllLanes, f(lane_));
    __syncwarp();
    return all;
  }
  __device__ __forceinline__ uint32_t exclusive_sum(Local<uint32_t>& x) {
    uint32_t all;
    x[0] = sum_before(x[0], lane_, all);
    __syncwarp();
    return all;
  }

 private:
  uint32_t index_;
  uint32_t lane_;
};

// A block of N threads in a row.
template <uint32_t N>
class DeviceBlock {
 public:
  using Warp = DeviceWarp;
  template <typename T>
  using Local = ThreadLocal<T>;
  static constexpr uint32_t kThreads = N;
  static constexpr uint32_t kWarps = N / 32;

  __device__ __forceinline__ uint32_t index() const { return blockIdx.x; }

  template <typename F>
  __device__ __forceinline__ void each(const F& f) {
    f(threadIdx.x);
    __syncthreads();
  }
  template <typename T>
  __device__ __forceinline__ T get(const T& shared) {
    const T value = shared;
    __syncthreads();
    return value;
  }
  template <typename F>
  __device__ __forceinline__ uint32_t count(const F& f) {
    return static_cast<uint32_t>(__syncthreads_count(f(threadIdx.x)));
  }
  template <typename F>
  __device__ __forceinline__ uint32_t sum(const F& f) {
    const uint32_t of_warp = __reduce_add_sync(kAllLanes, f(threadIdx.x));
    uint32_t all = 0;
    share(of_warp, [&](uint32_t, uint32_t part) { all += part; });
    return all;
  }
  template <typename T, typename F>
  __device__ __forceinline__ T most(const F& f) {
    T best = f(threadIdx.x);
#pragma unroll
    for (uint32_t step = 16; step > 0; step /= 2) {
      const T other = __shfl_xor_sync(kAllLanes, best, step);
      best = other > best ? other : best;
    }
    share(best, [&](uint32_t, T part) { best = part > best ? part : best; });
    return best;
  }
  __device__ __forceinline__ uint32_t exclusive_sum(Local<uint32_t>& x) {
    uint32_t of_warp;
    uint32_t before = sum_before(x[0], threadIdx.x % 32, of_warp);
    uint32_t all = 0;
    share(of_warp, [&](uint32_t warp, uint32_t part) {
      if (warp < threadIdx.x / 32) before += part;
      all += part;
    });
    x[0] = before;
    return all;
  }
  template <typename F>
  __device__ __forceinline__ void each_warp(const F& f) {
    DeviceWarp warp;
    f(warp);
    __syncthreads();
  }

 private:
  // Tells every thread what each warp has.
  template <typename T, typename F>
  __device__ __forceinline__ void share(T mine, const F& take) {
    __shared__ T parts[kWarps];
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = mine;
    __syncthreads();
#pragma unroll
    for (uint32_t warp = 0; warp < kWarps; ++warp) take(warp, parts[warp]);
    __syncthreads();
  }
};

}  // namespace compress::cuda
