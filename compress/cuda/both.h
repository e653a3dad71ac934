// Code for the card and for the host alike.
//
// A kernel here is a body that is written once, for any `Block` of threads:
//
//   Local<T>            a T of each thread: local[t]
//   each(f)             all threads run f(t), t its number; then all wait for each other
//   get(x)              what shared memory holds; then all wait
//   count(f), sum(f)    of how many threads f(t) is true; sum of what it is; both wait
//   most<T>(f)          the largest f(t); waits
//   exclusive_sum(x)    x[t] becomes the sum of those before; returns that of all; waits
//   each_warp(f)        each 32 threads run f(warp); then all wait
//
// and a `Warp` is the same of 32 lanes, and ballot(f). What stands between these is run by every
// thread, on the same numbers; it touches no memory that another may write. So on the card
// (compress/cuda/device.h) every step is followed by a barrier, and on the host the tests run the
// same body step by step, thread by thread in any order, and compare it with the CPU's codec.
//
// Sums of fp32 and fp64 are rounded one by one in the CPU's order; atomics are of bits and counts.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "common/both.h"

namespace compress::cuda {

using common::difference;
using common::product;
using common::sum;

// word |= bits, whoever else does so at the same time.
MUSTER_BOTH void or_into(uint32_t& word, uint32_t bits) {
#ifdef __CUDA_ARCH__
  atomicOr(&word, bits);
#else
  word |= bits;
#endif
}
// Adds one; returns what was there.
MUSTER_BOTH uint32_t take_number(uint32_t& next) {
#ifdef __CUDA_ARCH__
  return atomicAdd(&next, 1u);
#else
  return next++;
#endif
}

MUSTER_BOTH uint32_t ones(uint32_t bits) { return static_cast<uint32_t>(std::popcount(bits)); }
// The low `count` bits.  Pre: count < 32.
MUSTER_BOTH uint32_t low(uint32_t bits, uint32_t count) { return bits & ((1u << count) - 1); }
MUSTER_BOTH uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
MUSTER_BOTH uint32_t words_of(uint64_t bits) { return static_cast<uint32_t>((bits + 31) / 32); }

// The low `width` bits of `bits`, those above being zero, into words that were zero there.
// Pre: width <= 32.
MUSTER_BOTH void put(uint32_t* words, uint64_t at, uint32_t bits, uint32_t width) {
  uint32_t* const word = words + at / 32;
  const auto shift = static_cast<uint32_t>(at % 32);
  if (bits == 0) return;
  or_into(word[0], bits << shift);
  if (shift + width > 32) or_into(word[1], bits >> (32 - shift));
}

// 32 bits from a bit on.
MUSTER_BOTH uint32_t bits_at(const uint32_t* words, uint32_t at) {
  const uint32_t* const word = words + at / 32;
  const uint64_t both = uint64_t{word[1]} << 32 | word[0];
  return static_cast<uint32_t>(both >> at % 32);
}

// Four numbers that move at once.
struct alignas(16) Float4 {
  float value[4];
};

// Cuts a block's shared memory to arrays; with no base, counts its bytes.
class SharedRoom {
 public:
  MUSTER_BOTH explicit SharedRoom(uint8_t* base) : base_(reinterpret_cast<uintptr_t>(base)) {}

  template <typename T>
  MUSTER_BOTH T* take(size_t count) {
    used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    T* const made = reinterpret_cast<T*>(base_ + used_);
    used_ += count * sizeof(T);
    return made;
  }
  MUSTER_BOTH size_t used() const { return (used_ + 15) / 16 * 16; }

 private:
  uintptr_t base_;
  size_t used_ = 0;
};

}  // namespace compress::cuda
