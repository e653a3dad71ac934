#include "train/cpu/parameter_kernels.h"

#include "train/bf16.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/parameter_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

#include "train/cpu/vectors.inc"

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

void combine(float* out, float a, const float* x, float b, const float* y, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    const auto left = hn::Mul(hn::Set(d, a), hn::LoadU(d, x + i));
    const auto right = hn::Mul(hn::Set(d, b), hn::LoadU(d, y + i));
    hn::StoreU(hn::Add(left, right), d, out + i);
  });
}

void scale_into(float* out, float scale, const float* x, float keep, int size) {
  visit_all(size, [&](auto d, int i) HWY_ATTR {
    const auto scaled = hn::Mul(hn::Set(d, scale), hn::LoadU(d, x + i));
    const auto kept = keep == 0 ? hn::Zero(d) : hn::Mul(hn::Set(d, keep), hn::LoadU(d, out + i));
    hn::StoreU(hn::Add(scaled, kept), d, out + i);
  });
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(adamw);
HWY_EXPORT(combine);
HWY_EXPORT(scale_into);

void adamw_run(float* theta, float* m, float* v, const float* gradient, int size,
               const AdamwStep& step) {
  HWY_DYNAMIC_DISPATCH(adamw)(theta, m, v, gradient, size, step);
}

void combine_run(float* out, float a, const float* x, float b, const float* y, int size) {
  HWY_DYNAMIC_DISPATCH(combine)(out, a, x, b, y, size);
}

void scale_into_run(float* out, float scale, const float* x, float keep, int size) {
  HWY_DYNAMIC_DISPATCH(scale_into)(out, scale, x, keep, size);
}

}  // namespace train::cpu
#endif
