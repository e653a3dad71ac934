// Code for the card and for the host alike.
//
// A kernel here is a body that is written once, for any `Block` of threads:
//
//   Local<Block, T>       a T of each thread: local[t]
//   each(f)               all threads run f(t), t its number; then all wait for each other
//   step(f)               the same, and nobody waits: f touches registers, memory that nobody else
//                         touches, and what nobody writes before they next wait
//   meet()                all wait
//   sum(f), most(f)       of f(t), of all threads, in one order; all wait
//   lanes_sum<L>(f)       f(t), a reference, becomes the sum over L neighbouring threads, L <= 32 a
//   lanes_most<L>(f)      power of two; nobody waits
//   load_matrices(f), multiply(f), copy(...), arrive<N>()   (train/cuda/fragments.h)
//
// What stands between these is run by every thread, on the same numbers. So on the card
// (train/cuda/device.h) a step is what a thread does between two barriers, and on the host the
// tests run the same body step by step, thread by thread in any order, and compare it with plain
// loops.
//
// No sum is atomic: every one has one order, which depends on sizes alone.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "common/both.h"
#include "train/bf16.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#endif

namespace train::cuda {

template <class Block, typename T>
using Local = typename Block::template Local<T>;

inline constexpr int kLanes = 32;

// Of a kernel without shared memory.
struct NoShared {
  template <typename Args>
  static size_t shared_bytes(const Args&) {
    return 0;
  }
};

// --- Numbers. ---

MUSTER_BOTH float wide(float value) { return value; }
MUSTER_BOTH float wide(Bf16 value) { return to_float(value); }

// To the nearest, ties to even; NaN stays NaN.
template <typename Value>
MUSTER_BOTH Value narrow(float value) {
  if constexpr (std::is_same_v<Value, float>) {
    return value;
  } else {
#ifdef __CUDA_ARCH__
    return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
    return to_bf16(value);
#endif
  }
}

// Two in one word, the first in its lower half.
MUSTER_BOTH uint32_t pair_of(float first, float second) {
#ifdef __CUDA_ARCH__
  const __nv_bfloat162 both = __floats2bfloat162_rn(first, second);
  return uint32_t{__bfloat16_as_ushort(both.y)} << 16 | __bfloat16_as_ushort(both.x);
#else
  return uint32_t{to_bf16(second).bits} << 16 | to_bf16(first).bits;
#endif
}

// The larger; NaN only of two.
MUSTER_BOTH float larger(float a, float b) { return ::fmaxf(a, b); }
MUSTER_BOTH int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
MUSTER_BOTH int least(int a, int b) { return a < b ? a : b; }
MUSTER_BOTH int blocks_of(int size, int block) { return (size + block - 1) / block; }

// 0, or NaN if x is not finite.
MUSTER_BOTH float nothing_of(float x) { return x * 0.0F; }

using common::product;
using common::quotient;
using common::root;
using common::sum;

// --- Values that move together, 16 bytes at once where they lie so. ---

// Of a thread at a time.
template <typename Value>
inline constexpr int kWidth = 16 / static_cast<int>(sizeof(Value));

template <typename Value, int kCount>
struct alignas(kCount * sizeof(Value) < 16 ? kCount * sizeof(Value) : 16) Group {
  Value at[kCount];
};

// Of `kCount` values from an address on those that are among the next `left`, and zeros.
// `together`: all are, and the address is a multiple of their size, or of 16 bytes.
template <int kCount, typename Value>
MUSTER_BOTH void load(float (&out)[kCount], const Value* from, int64_t left, bool together) {
  if (together) {
    const auto group = *reinterpret_cast<const Group<Value, kCount>*>(from);
    MUSTER_UNROLL
    for (int i = 0; i < kCount; ++i) out[i] = wide(group.at[i]);
    return;
  }
  MUSTER_UNROLL
  for (int i = 0; i < kCount; ++i) out[i] = i < left ? wide(from[i]) : 0.0F;
}

template <int kCount, typename Value>
MUSTER_BOTH void store(Value* to, const float (&values)[kCount], int64_t left, bool together) {
  if (together) {
    Group<Value, kCount> group;
    MUSTER_UNROLL
    for (int i = 0; i < kCount; ++i) group.at[i] = narrow<Value>(values[i]);
    *reinterpret_cast<Group<Value, kCount>*>(to) = group;
    return;
  }
  MUSTER_UNROLL
  for (int i = 0; i < kCount; ++i) {
    if (i < left) to[i] = narrow<Value>(values[i]);
  }
}

// Whether all of these begin with 16 bytes.
template <typename... T>
bool aligned(const T*... of) {
  return ((reinterpret_cast<uintptr_t>(of) % 16 == 0) && ...);
}

}  // namespace train::cuda
