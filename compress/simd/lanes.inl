// What the rooms here share, compiled once for each instruction set: vectors of 32 bits, and masks
// as bits.
//
// No `#pragma once`: each file that is compiled for several instruction sets includes it once for
// each.
#if defined(COMPRESS_SIMD_LANES_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef COMPRESS_SIMD_LANES_INL_
#undef COMPRESS_SIMD_LANES_INL_
#else
#define COMPRESS_SIMD_LANES_INL_
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstdint>
#include <cstring>

// COMPRESS_WIDE: there are eight lanes at least, so that a vector's flags fill whole bytes.
// COMPRESS_COMPRESSES: Compress is an instruction. With AVX2 it is a table, which g++ 12 copies to
// the stack at every use.
// COMPRESS_DEPOSITS: bits go to the places of a mask's ones in one instruction.
// COMPRESS_BYTES: so do bytes of a vector, and any byte of one goes anywhere.
#undef COMPRESS_WIDE
#undef COMPRESS_COMPRESSES
#undef COMPRESS_DEPOSITS
#undef COMPRESS_BYTES
#define COMPRESS_WIDE (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2)
#define COMPRESS_COMPRESSES (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3)
#define COMPRESS_DEPOSITS (HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX2)
#define COMPRESS_BYTES (HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3_DL)

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<int32_t>;
using Vector = hn::Vec<Lanes>;

// At least 4, for there are loops of four that do without vectors.
constexpr size_t kLanesMax = HWY_MAX_BYTES < 16 ? 4 : HWY_MAX_BYTES / sizeof(int32_t);

HWY_INLINE size_t lanes() { return hn::Lanes(Lanes()); }
HWY_INLINE size_t vectors(size_t size) { return (size + lanes() - 1) / lanes(); }

// first, first + 1, ... Not Iota(first): Highway 1.0 writes that number by number into memory, and
// reading it back as one vector stalls.
HWY_INLINE Vector count_from(size_t first) {
  return hn::Add(hn::Iota(Lanes(), 0), hn::Set(Lanes(), static_cast<int32_t>(first)));
}

// Bit i: lane i.
template <typename Mask>
HWY_INLINE uint64_t bits_of(Mask mask) {
#if COMPRESS_COMPRESSES
  return mask.raw;
#else
  static_assert(kLanesMax <= 16);
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(Lanes(), mask, bytes);
  return static_cast<uint32_t>(bytes[0] | bytes[1] << 8) & ((1u << lanes()) - 1);
#endif
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
