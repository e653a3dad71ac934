#include "compress/simd/row_product.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/row_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;

// kRows rows, of two vectors: sixteen sums at most are in registers, and what is read serves kRows.
template <size_t kRows>
void block(const float* factors, size_t terms, const float* in, size_t in_stride, float* out,
           size_t out_stride) {
  const Floats floats;
  const size_t lanes = hn::Lanes(floats);
  hn::Vec<Floats> left[kRows], right[kRows];
  for (size_t r = 0; r < kRows; ++r) left[r] = right[r] = hn::Zero(floats);
  for (size_t t = 0; t < terms; ++t) {
    const auto in_left = hn::LoadU(floats, in + t * in_stride);
    const auto in_right = hn::LoadU(floats, in + t * in_stride + lanes);
    for (size_t r = 0; r < kRows; ++r) {
      const auto factor = hn::Set(floats, factors[r * terms + t]);
      left[r] = hn::Add(left[r], hn::Mul(factor, in_left));
      right[r] = hn::Add(right[r], hn::Mul(factor, in_right));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    hn::StoreU(left[r], floats, out + r * out_stride);
    hn::StoreU(right[r], floats, out + r * out_stride + lanes);
  }
}

void row_product_here(const float* factors, size_t rows, size_t terms, const float* in,
                      size_t in_stride, float* out, size_t out_stride) {
  constexpr size_t kTogether = 4;
  const size_t step = 2 * hn::Lanes(Floats());
  for (size_t col = 0; col < kRowProductCols; col += step) {
    size_t r = 0;
    for (; r + kTogether <= rows; r += kTogether) {
      block<kTogether>(factors + r * terms, terms, in + col, in_stride, out + r * out_stride + col,
                       out_stride);
    }
    for (; r < rows; ++r) {
      block<1>(factors + r * terms, terms, in + col, in_stride, out + r * out_stride + col,
               out_stride);
    }
  }
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(row_product_here);

void row_product(const float* factors, size_t rows, size_t terms, const float* in, size_t in_stride,
                 float* out, size_t out_stride) {
  HWY_DYNAMIC_DISPATCH(row_product_here)(factors, rows, terms, in, in_stride, out, out_stride);
}

}  // namespace compress::simd
#endif
