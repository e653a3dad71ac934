#include "train/cpu/row_kernels.h"

#include <algorithm>
#include <cmath>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/row_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

#include "train/cpu/vectors.inc"

// exp(x) within 2 units of the last place, for x <= 88; 0 below -87, where fp32 gives out, so that
// no subnormal slows what follows. x = n log 2 + r; Cody and Waite's split of log 2; the polynomial
// of Moshier's Cephes (expf) for |r| <= log 2 / 2. Loses NaN.
template <typename Tag, typename V>
HWY_INLINE V exp(Tag d, V x) {
  const hn::RebindToSigned<Tag> whole;
  // So large a number leaves no bits for fractions: the sum is rounded, and ends in n's bits.
  const V large = hn::Set(d, 12582912.0F);  // 1.5 * 2^23
  const V sum = hn::MulAdd(x, hn::Set(d, 1.44269504F), large);
  const V n = hn::Sub(sum, large);
  const V high = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x);
  const V r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F), high);
  V p = hn::MulAdd(r, hn::Set(d, 1.9875691500e-4F), hn::Set(d, 1.3981999507e-3F));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3F));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2F));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1F));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1F));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0F));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(whole, sum));
  const V power = hn::BitCast(d, hn::Add(exponent, hn::Set(whole, 127 << 23)));
  return hn::IfThenElseZero(hn::Ge(x, hn::Set(d, -87.0F)), hn::Mul(p, power));
}

// 1 / (1 + exp(-x)); the bound keeps exp finite. Newton's step makes the approximate reciprocal's
// 12 bits 23: a division takes longer than all the rest.
template <typename Tag, typename V>
HWY_INLINE V sigmoid(Tag d, V x) {
  const V below = hn::Add(hn::Set(d, 1.0F), exp(d, hn::Min(hn::Neg(x), hn::Set(d, 88.0F))));
  const V near = hn::ApproximateReciprocal(below);
  return hn::Mul(near, hn::NegMulAdd(near, below, hn::Set(d, 2.0F)));
}

template <typename Value>
float rmsnorm(Value* out, const Value* x, const float* weight, int C, float epsilon) {
  const float squares = sum_all(C, [&](auto d, int i) HWY_ATTR {
    const auto value = load(d, x + i);
    return hn::Mul(value, value);
  });
  const float rstd = 1.0F / std::sqrt(squares / static_cast<float>(C) + epsilon);
  visit_all(C, [&](auto d, int i) HWY_ATTR {
    const auto unit = hn::Mul(load(d, x + i), hn::Set(d, rstd));
    store(d, out + i, hn::Mul(unit, load(d, weight + i)));
  });
  return rstd;
}

template <typename Value>
void rmsnorm_backward(Value* d_x, float* d_weight, const Value* d_out, const Value* x,
                      const float* weight, float rstd, int C) {
  const float dot = sum_all(C, [&](auto d, int i) HWY_ATTR {
    const auto d_unit = hn::Mul(load(d, d_out + i), load(d, weight + i));
    return hn::Mul(d_unit, load(d, x + i));
  });
  const float along = dot * rstd * rstd / static_cast<float>(C);
  visit_all(C, [&](auto d, int i) HWY_ATTR {
    const auto scale = hn::Set(d, rstd);
    const auto value = load(d, x + i);
    const auto given = load(d, d_out + i);
    const auto d_unit = hn::Mul(given, load(d, weight + i));
    const auto across = hn::NegMulAdd(value, hn::Set(d, along), d_unit);
    store(d, d_x + i, hn::MulAdd(scale, across, load(d, d_x + i)));
    store(d, d_weight + i, hn::MulAdd(given, hn::Mul(value, scale), load(d, d_weight + i)));
  });
}

template <typename Value>
void swiglu(Value* out, const Value* gate, const Value* up, int F) {
  visit_all(F, [&](auto d, int i) HWY_ATTR {
    const auto g = load(d, gate + i);
    store(d, out + i, hn::Mul(hn::Mul(g, sigmoid(d, g)), load(d, up + i)));
  });
}

// silu'(g) = s + g * s * (1 - s),  s = sigmoid(g)
template <typename Value>
void swiglu_backward(Value* d_gate, Value* d_up, const Value* d_out, const Value* gate,
                     const Value* up, int F) {
  visit_all(F, [&](auto d, int i) HWY_ATTR {
    const auto g = load(d, gate + i);
    const auto given = load(d, d_out + i);
    const auto s = sigmoid(d, g);
    const auto silu = hn::Mul(g, s);
    const auto slope = hn::MulAdd(silu, hn::Sub(hn::Set(d, 1.0F), s), s);
    store(d, d_gate + i, hn::Mul(hn::Mul(given, load(d, up + i)), slope));
    store(d, d_up + i, hn::Mul(given, silu));
  });
}

template <typename Value>
void rope(Value* row, const float* cosine, const float* sine, int heads, int D, float direction) {
  const int half = D / 2;
  for (int head = 0; head < heads; ++head) {
    Value* first = row + static_cast<ptrdiff_t>(head) * D;
    Value* second = first + half;
    visit_all(half, [&](auto d, int i) HWY_ATTR {
      const auto c = load(d, cosine + i);
      const auto s = hn::Mul(load(d, sine + i), hn::Set(d, direction));
      const auto a = load(d, first + i);
      const auto b = load(d, second + i);
      store(d, first + i, hn::Sub(hn::Mul(a, c), hn::Mul(b, s)));
      store(d, second + i, hn::Add(hn::Mul(b, c), hn::Mul(a, s)));
    });
  }
}

// Vector maxima and Highway's exp lose NaN on the way; 0 * x brings it, or infinity, back.
LogSum log_sum(const float* logits, int size) {
  const float top = largest(logits, size);
  const float sum = sum_all(size, [&](auto d, int i) HWY_ATTR {
    const auto x = load(d, logits + i);
    return hn::MulAdd(x, hn::Zero(d), exp(d, hn::Sub(x, hn::Set(d, top))));
  });
  return {top, sum};
}

template <typename Value>
void below_top(Value* out, const float* logits, float top, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    store(d, out + i, hn::Sub(load(d, logits + i), hn::Set(d, top)));
  });
}

template <typename Value>
void softmax(Value* row, float top, float factor, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    const auto x = hn::Sub(load(d, row + i), hn::Set(d, top));
    const auto share = hn::MulAdd(x, hn::Zero(d), exp(d, x));
    store(d, row + i, hn::Mul(share, hn::Set(d, factor)));
  });
}

template <typename Value>
void add(float* out, const Value* x, int size) {
  visit_all(size, [&](auto d, int i)
                      HWY_ATTR { store(d, out + i, hn::Add(load(d, out + i), load(d, x + i))); });
}

template <typename To, typename From>
void convert(To* out, const From* x, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR { store(d, out + i, load(d, x + i)); });
}

// 0 times a value is 0, or NaN if it is not finite.
template <typename Value>
bool finite(const Value* values, int size) {
  return sum_all(size, [&](auto d, int i)
                           HWY_ATTR { return hn::Mul(load(d, values + i), hn::Zero(d)); }) == 0;
}

template <typename Value>
RowKernels<Value> kernels() {
  return {.rmsnorm = rmsnorm<Value>,
          .rmsnorm_backward = rmsnorm_backward<Value>,
          .swiglu = swiglu<Value>,
          .swiglu_backward = swiglu_backward<Value>,
          .rope = rope<Value>,
          .log_sum = log_sum,
          .below_top = below_top<Value>,
          .softmax = softmax<Value>,
          .add = add<Value>,
          .narrow = convert<Value, float>,
          .widen = convert<float, Value>,
          .finite = finite<Value>};
}

RowKernels<float> float_kernels() { return kernels<float>(); }
RowKernels<Bf16> bf16_kernels() { return kernels<Bf16>(); }

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(float_kernels);
HWY_EXPORT(bf16_kernels);

template <>
RowKernels<float> row_kernels<float>() {
  return HWY_DYNAMIC_DISPATCH(float_kernels)();
}
template <>
RowKernels<Bf16> row_kernels<Bf16>() {
  return HWY_DYNAMIC_DISPATCH(bf16_kernels)();
}

}  // namespace train::cpu
#endif
