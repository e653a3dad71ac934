// The inner optimiser. Source: Loshchilov & Hutter 2019, arXiv:1711.05101.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "common/window.h"
#include "compress/layout.h"

namespace train {

// The learning rate of inner step `step` (from 0) of a window: linear warm-up over warmup_windows
// (its first step already learns, its last has the full rate), then a cosine to final_ratio at
// decay_windows, then flat. A pure function of the hparams and the clock (W6).
double learning_rate(const common::InnerParams& params, common::Window window, uint32_t step);

// First and second moments of N parameters, kept from window to window. Weight decay acts on
// matrices only.
class AdamW {
 public:
  AdamW(const compress::Layout& layout, const common::InnerParams& params);

  // One step with the gradient clipped to the global norm `gradient_clip` (0: not at all); as
  // torch.optim.AdamW does it. Returns the gradient's norm before clipping; one that is not finite
  // is a bug (CHECK).
  //   theta, gradient (N)
  double step(std::span<float> theta, std::span<const float> gradient, double rate);

  // Atomic and versioned, so that a restart goes on where it was (W43), with `window` to be
  // remembered beside. load: kNotFound; kCorrupt if it was damaged, or is another model's; then
  // nothing has changed.
  common::Result<void> save(const std::filesystem::path& file, common::Window window) const;
  common::Result<common::Window> load(const std::filesystem::path& file);

 private:
  struct Decayed {  // A run of parameters with one weight decay.
    uint64_t first;
    uint64_t size;
    bool decays;
  };
  std::vector<Decayed> runs_;
  common::InnerParams params_;
  std::vector<float> m_;
  std::vector<float> v_;
  uint64_t steps_ = 0;
};

}  // namespace train
