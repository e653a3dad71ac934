#include "train/cpu/attention_rows.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/attention_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

#include "train/cpu/vectors.inc"

// Value by value, where no block of vectors fits any more.
template <typename Value>
void transpose_rest(Value* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                    const float* factor, int rows, int columns) {
  for (int j = 0; j < columns; ++j) {
    for (int i = 0; i < rows; ++i) {
      const float x = in[j * in_stride + i] * (factor == nullptr ? 1.0F : factor[i]);
      store(Single(), out + i * out_stride + j, hn::Set(Single(), x));
    }
  }
}

#if HWY_TARGET != HWY_SCALAR

// The rows of words that four vectors are the columns of: in each block of 128 bits, one row of a
// vector's four.
template <typename D, typename V>
HWY_INLINE void transpose_words(D d, V& a, V& b, V& c, V& e) {
  const hn::Repartition<double, D> pairs;
  const auto ab = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
  const auto ce = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
  const auto ab_up = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
  const auto ce_up = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  a = hn::BitCast(d, hn::InterleaveLower(pairs, ab, ce));
  b = hn::BitCast(d, hn::InterleaveUpper(pairs, ab, ce));
  c = hn::BitCast(d, hn::InterleaveLower(pairs, ab_up, ce_up));
  e = hn::BitCast(d, hn::InterleaveUpper(pairs, ab_up, ce_up));
}

// Four rows, in blocks of four columns; returns how many columns these were.
HWY_INLINE int transpose_four(float* out, ptrdiff_t out_stride, const float* in,
                              ptrdiff_t in_stride, hn::Vec<hn::FixedTag<float, 4>> factor,
                              int columns) {
  const hn::FixedTag<float, 4> d;
  int j = 0;
  for (; j + 4 <= columns; j += 4, in += 4 * in_stride) {
    auto a = hn::Mul(factor, hn::LoadU(d, in));
    auto b = hn::Mul(factor, hn::LoadU(d, in + in_stride));
    auto c = hn::Mul(factor, hn::LoadU(d, in + 2 * in_stride));
    auto e = hn::Mul(factor, hn::LoadU(d, in + 3 * in_stride));
    transpose_words(d, a, b, c, e);
    hn::StoreU(a, d, out + j);
    hn::StoreU(b, d, out + j + out_stride);
    hn::StoreU(c, d, out + j + 2 * out_stride);
    hn::StoreU(e, d, out + j + 3 * out_stride);
  }
  return j;
}

using Some = hn::CappedTag<float, 16>;
using Words = hn::RebindToUnsigned<Some>;

// Two values a word, rounded as to_bf16 does (the NaN of arithmetic stays NaN).
HWY_INLINE hn::Vec<Words> paired(hn::Vec<Some> first, hn::Vec<Some> second) {
  const Words d;
  const auto nearest = [d](hn::Vec<Some> x) HWY_ATTR {
    const auto bits = hn::BitCast(d, x);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
    return hn::Add(hn::Add(bits, hn::Set(d, 0x7FFF)), odd);
  };
  const auto high = hn::And(nearest(second), hn::Set(d, 0xFFFF0000U));
  return hn::Or(hn::ShiftRight<16>(nearest(first)), high);
}

// Eight columns, of which two make a word, of as many rows as a vector has lanes. Rows beyond
// `rows` are computed and not written.
HWY_INLINE void transpose_eight(Bf16* out, ptrdiff_t stride, const float* in, ptrdiff_t in_stride,
                                hn::Vec<Some> factor, int rows) {
  const Words d;
  const auto column = [&](int k) HWY_ATTR {
    return hn::Mul(factor, hn::LoadU(Some(), in + k * in_stride));
  };
  auto a = paired(column(0), column(1));
  auto b = paired(column(2), column(3));
  auto c = paired(column(4), column(5));
  auto e = paired(column(6), column(7));
  transpose_words(d, a, b, c, e);
  alignas(64) uint32_t words[4][16];
  hn::Store(a, d, words[0]);
  hn::Store(b, d, words[1]);
  hn::Store(c, d, words[2]);
  hn::Store(e, d, words[3]);
  for (int row = 0; row < rows; ++row) {
    std::memcpy(out + row * stride, words[row % 4] + row / 4 * 4, 8 * sizeof(Bf16));
  }
}

#endif  // HWY_SCALAR

void transpose_float(float* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                     const float* factor, int rows, int columns) {
  int i = 0;
  const auto rest = [&](int some, int from) {
    transpose_rest(out + i * out_stride + from, out_stride, in + i + from * in_stride, in_stride,
                   factor == nullptr ? nullptr : factor + i, some, columns - from);
  };
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  for (; i + 4 <= rows; i += 4) {
    const auto factors = factor == nullptr ? hn::Set(d, 1.0F) : hn::LoadU(d, factor + i);
    rest(4, transpose_four(out + i * out_stride, out_stride, in + i, in_stride, factors, columns));
  }
#endif
  rest(rows - i, 0);
}

void transpose_bf16(Bf16* out, ptrdiff_t stride, const float* in, ptrdiff_t in_stride,
                    const float* factor, int rows, int columns) {
  int j = 0;
#if HWY_TARGET != HWY_SCALAR
  const int lanes = static_cast<int>(hn::Lanes(Some()));
  for (; j + 8 <= columns; j += 8) {
    for (int i = 0; i < rows; i += lanes) {
      transpose_eight(out + i * stride + j, stride, in + j * in_stride + i, in_stride,
                      hn::LoadU(Some(), factor + i), std::min(rows - i, lanes));
    }
  }
#endif
  transpose_rest(out + j, stride, in + j * in_stride, in_stride, factor, rows, columns - j);
}

template <typename Value>
HWY_INLINE void scale_all(Value* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                          float factor, int rows, int columns) {
  for (int i = 0; i < rows; ++i, out += out_stride, in += in_stride) {
    visit_all(columns, [&](auto d, int j) HWY_ATTR {
      store(d, out + j, hn::Mul(load(d, in + j), hn::Set(d, factor)));
    });
  }
}
void scale_float(float* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                 float factor, int rows, int columns) {
  scale_all(out, out_stride, in, in_stride, factor, rows, columns);
}
void scale_bf16(Bf16* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride, float factor,
                int rows, int columns) {
  scale_all(out, out_stride, in, in_stride, factor, rows, columns);
}

template <typename Value>
HWY_INLINE void dot_all(float* out, const Value* a, const Value* b, ptrdiff_t stride, int rows,
                        int columns) {
  for (int i = 0; i < rows; ++i, a += stride, b += stride) {
    out[i] = sum_all(
        columns, [&](auto d, int j) HWY_ATTR { return hn::Mul(load(d, a + j), load(d, b + j)); });
  }
}
void dot_float(float* out, const float* a, const float* b, ptrdiff_t stride, int rows,
               int columns) {
  dot_all(out, a, b, stride, rows, columns);
}
void dot_bf16(float* out, const Bf16* a, const Bf16* b, ptrdiff_t stride, int rows, int columns) {
  dot_all(out, a, b, stride, rows, columns);
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(transpose_float);
HWY_EXPORT(transpose_bf16);
HWY_EXPORT(scale_float);
HWY_EXPORT(scale_bf16);
HWY_EXPORT(dot_float);
HWY_EXPORT(dot_bf16);

void transpose(float* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride, int rows,
               int columns) {
  HWY_DYNAMIC_DISPATCH(transpose_float)(out, out_stride, in, in_stride, nullptr, rows, columns);
}

void write_transposed(float* out, ptrdiff_t stride, const float* in, ptrdiff_t in_stride,
                      const float* factor, int rows, int columns) {
  HWY_DYNAMIC_DISPATCH(transpose_float)(out, stride, in, in_stride, factor, rows, columns);
}

void write_transposed(Bf16* out, ptrdiff_t stride, const float* in, ptrdiff_t in_stride,
                      const float* factor, int rows, int columns) {
  HWY_DYNAMIC_DISPATCH(transpose_bf16)(out, stride, in, in_stride, factor, rows, columns);
}

void write_scaled(float* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                  float factor, int rows, int columns) {
  HWY_DYNAMIC_DISPATCH(scale_float)(out, out_stride, in, in_stride, factor, rows, columns);
}

void write_scaled(Bf16* out, ptrdiff_t out_stride, const float* in, ptrdiff_t in_stride,
                  float factor, int rows, int columns) {
  HWY_DYNAMIC_DISPATCH(scale_bf16)(out, out_stride, in, in_stride, factor, rows, columns);
}

void dot_rows(float* out, const float* a, const float* b, ptrdiff_t stride, int rows, int columns) {
  HWY_DYNAMIC_DISPATCH(dot_float)(out, a, b, stride, rows, columns);
}

void dot_rows(float* out, const Bf16* a, const Bf16* b, ptrdiff_t stride, int rows, int columns) {
  HWY_DYNAMIC_DISPATCH(dot_bf16)(out, a, b, stride, rows, columns);
}

}  // namespace train::cpu
#endif
