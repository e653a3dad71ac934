#include "compress/simd/values.h"

#include <algorithm>
#include <bit>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/values.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/lanes.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;

void pad(const StripShape& shape, TileValues* out) {
  for (size_t t = 0; t < shape.cols.size(); ++t) {
    for (uint32_t i = shape.rows * shape.cols[t]; i % 64 != 0; ++i) out[t].value[i] = 0;
  }
}

void load_here(const float* first, const StripShape& shape, TileValues* out) {
  for (uint32_t r = 0; r < shape.rows; ++r) {
    const float* from = first + r * shape.stride;
    for (size_t t = 0; t < shape.cols.size(); ++t) {
      const uint32_t cols = shape.cols[t];
      std::memcpy(out[t].value + r * cols, from, cols * sizeof(float));
      from += cols;
    }
  }
  pad(shape, out);
}

void feedback_here(float* e, const float* delta, float decay, const StripShape& shape,
                   TileValues* out) {
  const auto beta = hn::Set(Floats(), decay);
  for (uint32_t r = 0; r < shape.rows; ++r) {
    float* row = e + r * shape.stride;
    const float* change = delta + r * shape.stride;
    for (size_t t = 0; t < shape.cols.size(); ++t) {
      const uint32_t cols = shape.cols[t];
      float* const to = out[t].value + r * cols;
      uint32_t i = 0;
      for (; i + lanes() <= cols; i += static_cast<uint32_t>(lanes())) {
        const auto kept = hn::Mul(beta, hn::LoadU(Floats(), row + i));
        const auto all = hn::Add(kept, hn::LoadU(Floats(), change + i));
        hn::StoreU(all, Floats(), row + i);
        hn::StoreU(all, Floats(), to + i);
      }
      for (; i < cols; ++i) to[i] = row[i] = decay * row[i] + change[i];
      row += cols;
      change += cols;
    }
  }
  pad(shape, out);
}

void flags_here(const Selection& selection, float least_high, int32_t* offset, uint64_t* negative,
                uint64_t* high) {
  const Vector below = hn::Set(Lanes(), std::bit_cast<int32_t>(least_high) - 1);
  const Vector no_sign = hn::Set(Lanes(), 0x7FFFFFFF);
  const size_t n = selection.count;
  for (size_t first = 0; first < n; first += 64) {
    uint64_t negative_bits = 0;
    uint64_t high_bits = 0;
    for (size_t i = first; i < std::min(n, first + 64); i += lanes()) {
      const Vector signed_offset = hn::Load(Lanes(), selection.offset + i);
      const Vector bits = hn::Load(Lanes(), selection.bits + i);
      negative_bits |= bits_of(hn::Lt(signed_offset, hn::Zero(Lanes()))) << (i - first);
      high_bits |= bits_of(hn::Gt(bits, below)) << (i - first);
      hn::Store(hn::And(signed_offset, no_sign), Lanes(), offset + i);
    }
    const uint64_t there = n - first < 64 ? (uint64_t{1} << (n - first)) - 1 : ~uint64_t{0};
    negative[first / 64] = negative_bits & there;
    high[first / 64] = high_bits & there;
  }
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(load_here);
HWY_EXPORT(feedback_here);
HWY_EXPORT(flags_here);

void load_strip(const float* first, const StripShape& shape, TileValues* out) {
  HWY_DYNAMIC_DISPATCH(load_here)(first, shape, out);
}

void load_feedback(float* e, const float* delta, float decay, const StripShape& shape,
                   TileValues* out) {
  HWY_DYNAMIC_DISPATCH(feedback_here)(e, delta, decay, shape, out);
}

void flags_of(const Selection& selection, float least_high, int32_t* offset, uint64_t* negative,
              uint64_t* high) {
  HWY_DYNAMIC_DISPATCH(flags_here)(selection, least_high, offset, negative, high);
}

}  // namespace compress::simd
#endif
