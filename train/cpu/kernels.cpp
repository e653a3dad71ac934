#include "train/cpu/kernels.h"

#include <algorithm>
#include <cmath>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;

// visit(tag, i) for whole vectors from i on, then for single values.
template <typename Visit>
HWY_INLINE void visit_all(int size, const Visit& visit) {
  const int lanes = static_cast<int>(hn::Lanes(Wide()));
  int i = 0;
  for (; i + lanes <= size; i += lanes) visit(Wide(), i);
  for (; i < size; ++i) visit(Single(), i);
}

// The sum of what term(tag, i) gives.
template <typename Term>
HWY_INLINE float sum_all(int size, const Term& term) {
  const int lanes = static_cast<int>(hn::Lanes(Wide()));
  auto sums = hn::Zero(Wide());
  int i = 0;
  for (; i + lanes <= size; i += lanes) sums = hn::Add(sums, term(Wide(), i));
  float sum = hn::GetLane(hn::SumOfLanes(Wide(), sums));
  for (; i < size; ++i) sum += hn::GetLane(term(Single(), i));
  return sum;
}

HWY_INLINE float largest(const float* row, int size) {
  const int lanes = static_cast<int>(hn::Lanes(Wide()));
  auto tops = hn::Set(Wide(), row[0]);
  int i = 0;
  for (; i + lanes <= size; i += lanes) tops = hn::Max(tops, hn::LoadU(Wide(), row + i));
  float top = hn::GetLane(hn::MaxOfLanes(Wide(), tops));
  for (; i < size; ++i) top = std::max(top, row[i]);
  return top;
}

// 1 / (1 + exp(-x)); the bound keeps exp finite.
template <typename Tag, typename V>
HWY_INLINE V sigmoid(Tag d, V x) {
  const V one = hn::Set(d, 1.0F);
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 88.0F)))));
}

float rmsnorm(float* out, const float* x, const float* weight, int C, float epsilon) {
  const float squares = sum_all(C, [&](auto d, int i) HWY_ATTR {
    const auto value = hn::LoadU(d, x + i);
    return hn::Mul(value, value);
  });
  const float rstd = 1.0F / std::sqrt(squares / static_cast<float>(C) + epsilon);
  visit_all(C, [&](auto d, int i) HWY_ATTR {
    const auto unit = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, rstd));
    hn::StoreU(hn::Mul(unit, hn::LoadU(d, weight + i)), d, out + i);
  });
  return rstd;
}

void rmsnorm_backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                      const float* weight, float rstd, int C) {
  const float dot = sum_all(C, [&](auto d, int i) HWY_ATTR {
    const auto d_unit = hn::Mul(hn::LoadU(d, d_out + i), hn::LoadU(d, weight + i));
    return hn::Mul(d_unit, hn::LoadU(d, x + i));
  });
  const float along = dot * rstd * rstd / static_cast<float>(C);
  visit_all(C, [&](auto d, int i) HWY_ATTR {
    const auto scale = hn::Set(d, rstd);
    const auto value = hn::LoadU(d, x + i);
    const auto given = hn::LoadU(d, d_out + i);
    const auto d_unit = hn::Mul(given, hn::LoadU(d, weight + i));
    const auto across = hn::NegMulAdd(value, hn::Set(d, along), d_unit);
    hn::StoreU(hn::MulAdd(scale, across, hn::LoadU(d, d_x + i)), d, d_x + i);
    hn::StoreU(hn::MulAdd(given, hn::Mul(value, scale), hn::LoadU(d, d_weight + i)), d,
               d_weight + i);
  });
}

void swiglu(float* out, const float* gate, const float* up, int F) {
  visit_all(F, [&](auto d, int i) HWY_ATTR {
    const auto g = hn::LoadU(d, gate + i);
    hn::StoreU(hn::Mul(hn::Mul(g, sigmoid(d, g)), hn::LoadU(d, up + i)), d, out + i);
  });
}

// silu'(g) = s + g * s * (1 - s),  s = sigmoid(g)
void swiglu_backward(float* d_gate, float* d_up, const float* d_out, const float* gate,
                     const float* up, int F) {
  visit_all(F, [&](auto d, int i) HWY_ATTR {
    const auto g = hn::LoadU(d, gate + i);
    const auto given = hn::LoadU(d, d_out + i);
    const auto s = sigmoid(d, g);
    const auto silu = hn::Mul(g, s);
    const auto slope = hn::MulAdd(silu, hn::Sub(hn::Set(d, 1.0F), s), s);
    hn::StoreU(hn::Mul(hn::Mul(given, hn::LoadU(d, up + i)), slope), d, d_gate + i);
    hn::StoreU(hn::Mul(given, silu), d, d_up + i);
  });
}

void rope(float* row, const float* cosine, const float* sine, int heads, int D, float direction) {
  const int half = D / 2;
  for (int head = 0; head < heads; ++head) {
    float* first = row + static_cast<ptrdiff_t>(head) * D;
    float* second = first + half;
    visit_all(half, [&](auto d, int i) HWY_ATTR {
      const auto c = hn::LoadU(d, cosine + i);
      const auto s = hn::Mul(hn::LoadU(d, sine + i), hn::Set(d, direction));
      const auto a = hn::LoadU(d, first + i);
      const auto b = hn::LoadU(d, second + i);
      hn::StoreU(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), d, first + i);
      hn::StoreU(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), d, second + i);
    });
  }
}

// Vector maxima and Highway's exp lose NaN on the way; 0 * x brings it, or infinity, back.
float softmax(float* row, int size, float scale) {
  const float top = largest(row, size);
  const float sum = sum_all(size, [&](auto d, int i) HWY_ATTR {
    const auto x = hn::LoadU(d, row + i);
    const auto power = hn::Exp(d, hn::Sub(x, hn::Set(d, top)));
    hn::StoreU(power, d, row + i);
    return hn::MulAdd(x, hn::Zero(d), power);
  });
  const float factor = scale / sum;
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, row + i), hn::Set(d, factor)), d, row + i);
  });
  return top + std::log(sum);
}

void exp(float* row, float shift, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    const auto x = hn::Sub(hn::LoadU(d, row + i), hn::Set(d, shift));
    hn::StoreU(hn::MulAdd(x, hn::Zero(d), hn::Exp(d, x)), d, row + i);
  });
}

void softmax_backward(float* d_p, const float* p, float dot, float scale, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    const auto across = hn::Sub(hn::LoadU(d, d_p + i), hn::Set(d, dot));
    hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, p + i), across), hn::Set(d, scale)), d, d_p + i);
  });
}

float dot(const float* a, const float* b, int size) {
  return sum_all(size, [&](auto d, int i)
                           HWY_ATTR { return hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); });
}

void add(float* out, const float* x, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::LoadU(d, x + i)), d, out + i);
  });
}

// torch.optim.AdamW's update; multiply and add rounded each on its own.
void adamw(float* theta, float* m, float* v, const float* gradient, int size,
           const AdamwStep& step) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, step.gradient_scale));
    const auto first = hn::Add(hn::Mul(hn::Set(d, step.beta1), hn::LoadU(d, m + i)),
                               hn::Mul(hn::Set(d, step.one_less_beta1), g));
    const auto second = hn::Add(hn::Mul(hn::Set(d, step.beta2), hn::LoadU(d, v + i)),
                                hn::Mul(hn::Set(d, step.one_less_beta2), hn::Mul(g, g)));
    hn::StoreU(first, d, m + i);
    hn::StoreU(second, d, v + i);
    const auto root = hn::Mul(hn::Sqrt(second), hn::Set(d, step.v_correction));
    const auto move =
        hn::Div(hn::Mul(first, hn::Set(d, step.rate)), hn::Add(root, hn::Set(d, step.epsilon)));
    const auto kept = hn::Mul(hn::LoadU(d, theta + i), hn::Set(d, step.keep));
    hn::StoreU(hn::Sub(kept, move), d, theta + i);
  });
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(rmsnorm);
HWY_EXPORT(rmsnorm_backward);
HWY_EXPORT(swiglu);
HWY_EXPORT(swiglu_backward);
HWY_EXPORT(rope);
HWY_EXPORT(softmax);
HWY_EXPORT(exp);
HWY_EXPORT(softmax_backward);
HWY_EXPORT(dot);
HWY_EXPORT(add);
HWY_EXPORT(adamw);

float rmsnorm_row(float* out, const float* x, const float* weight, int C, float epsilon) {
  return HWY_DYNAMIC_DISPATCH(rmsnorm)(out, x, weight, C, epsilon);
}

void rmsnorm_backward_row(float* d_x, float* d_weight, const float* d_out, const float* x,
                          const float* weight, float rstd, int C) {
  HWY_DYNAMIC_DISPATCH(rmsnorm_backward)(d_x, d_weight, d_out, x, weight, rstd, C);
}

void swiglu_row(float* out, const float* gate, const float* up, int F) {
  HWY_DYNAMIC_DISPATCH(swiglu)(out, gate, up, F);
}

void swiglu_backward_row(float* d_gate, float* d_up, const float* d_out, const float* gate,
                         const float* up, int F) {
  HWY_DYNAMIC_DISPATCH(swiglu_backward)(d_gate, d_up, d_out, gate, up, F);
}

void rope_row(float* row, const float* cosine, const float* sine, int heads, int D,
              float direction) {
  HWY_DYNAMIC_DISPATCH(rope)(row, cosine, sine, heads, D, direction);
}

float softmax_row(float* row, int size, float scale) {
  return HWY_DYNAMIC_DISPATCH(softmax)(row, size, scale);
}

void exp_row(float* row, float shift, int size) { HWY_DYNAMIC_DISPATCH(exp)(row, shift, size); }

void softmax_backward_row(float* d_p, const float* p, float dot, float scale, int size) {
  HWY_DYNAMIC_DISPATCH(softmax_backward)(d_p, p, dot, scale, size);
}

float dot_row(const float* a, const float* b, int size) {
  return HWY_DYNAMIC_DISPATCH(dot)(a, b, size);
}

void add_row(float* out, const float* x, int size) { HWY_DYNAMIC_DISPATCH(add)(out, x, size); }

void adamw_run(float* theta, float* m, float* v, const float* gradient, int size,
               const AdamwStep& step) {
  HWY_DYNAMIC_DISPATCH(adamw)(theta, m, v, gradient, size, step);
}

}  // namespace train::cpu
#endif
