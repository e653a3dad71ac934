// AdamW, as torch.optim.AdamW does it; weight decay acts on matrices only.
// Source: Loshchilov & Hutter 2019, arXiv:1711.05101.
#pragma once

#include <vector>

#include "train/optimiser.h"

namespace train {

inline constexpr std::string_view kAdamwKind = "adamw";

// Values of a range that AdamW treats alike.
struct AdamwRun {
  uint64_t first;   // In the range,
  uint64_t moment;  //   and in the moments.
  uint64_t size;
  bool decays;
};

// One step of `runs`, the `t`-th (from 1).  m, v  first and second moments
void adamw_step(Backend& backend, const common::InnerParams& params, std::span<const AdamwRun> runs,
                float* theta, float* m, float* v, const float* gradient, uint64_t t, double rate,
                float gradient_scale);

// Two moments a parameter.
class AdamW final : public Optimiser {
 public:
  AdamW(const compress::Layout& layout, const common::InnerParams& params, Backend& backend,
        ParameterRange range, Buffer<float>* room = nullptr);
  AdamW(const compress::Layout& layout, const common::InnerParams& params, Backend& backend)
      : AdamW(layout, params, backend, whole(layout)) {}

  std::string_view kind() const override { return kAdamwKind; }

 private:
  void move(float* theta, const float* gradient, std::span<float* const> moments, double rate,
            float gradient_scale) override;

  std::vector<AdamwRun> runs_;
};

}  // namespace train
