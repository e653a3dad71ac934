#include "train/adamw.h"

#include <algorithm>
#include <cmath>

namespace train {

void adamw_step(Backend& backend, const common::InnerParams& params, std::span<const AdamwRun> runs,
                float* theta, float* m, float* v, const float* gradient, uint64_t t, double rate,
                float gradient_scale) {
  const auto steps = static_cast<double>(t);
  AdamwStep constants{
      .gradient_scale = gradient_scale,
      .beta1 = static_cast<float>(params.beta1),
      .beta2 = static_cast<float>(params.beta2),
      .one_less_beta1 = static_cast<float>(1.0 - params.beta1),
      .one_less_beta2 = static_cast<float>(1.0 - params.beta2),
      .epsilon = static_cast<float>(params.epsilon),
      .rate = static_cast<float>(rate / (1.0 - std::pow(params.beta1, steps))),
      .v_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(params.beta2, steps))),
      .keep = 1.0F,
  };
  const auto decayed = static_cast<float>(1.0 - rate * params.weight_decay);
  for (const AdamwRun& run : runs) {
    constants.keep = run.decays ? decayed : 1.0F;
    backend.adamw(theta + run.first, m + run.moment, v + run.moment, gradient + run.first, run.size,
                  constants);
  }
}

AdamW::AdamW(const compress::Layout& layout, const common::InnerParams& params, Backend& backend,
             ParameterRange range, Buffer<float>* room)
    : Optimiser(layout, params, backend, range, room) {
  for (const compress::Tensor& tensor : layout.tensors()) {
    const uint64_t first = std::max(tensor.offset, range.first);
    const uint64_t end = std::min(tensor.offset + tensor.size(), range.end());
    if (first >= end) continue;
    const bool decays = !tensor.is_vector();
    if (runs_.empty() || runs_.back().decays != decays) {
      runs_.push_back({first - range.first, first - range.first, 0, decays});
    }
    runs_.back().size += end - first;
  }
  add_moment(range.size);
  add_moment(range.size);
}

void AdamW::move(float* theta, const float* gradient, std::span<float* const> moments, double rate,
                 float gradient_scale) {
  adamw_step(backend(), params(), runs_, theta, moments[0], moments[1], gradient, state().steps,
             rate, gradient_scale);
}

}  // namespace train
