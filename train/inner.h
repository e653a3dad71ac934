// The inner loop: H steps of AdamW from theta on the assigned samples, and what they changed.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/window.h"
#include "train/adamw.h"
#include "train/assignment.h"
#include "train/dataset.h"
#include "train/model.h"

namespace train {

// delta = theta_0 - theta_H, and the record of how it came about.
struct PseudoGradient {
  std::vector<float> delta;  // (N)
  Receipt receipt;
  uint64_t token_count = 0;
  double first_loss = 0;
  double last_loss = 0;
};

// Asked before every step but the first; false ends the loop there: a slow machine sends what it
// has by the deadline.
using KeepGoing = std::function<bool(uint32_t step)>;

// Trains on a copy; `theta` is not touched (W4). At most hparams.inner.steps steps, at least one,
// of sequences_per_step samples each, in the order of `assigned`, which names at least so many. NaN
// or infinity in a loss or gradient is a bug (CHECK), because theta is finite and the data are
// tokens.
PseudoGradient train_window(std::span<const float> theta, Model& model, AdamW& optimiser,
                            const Dataset& dataset, std::span<const uint64_t> assigned,
                            const common::Hparams& hparams, common::Window window,
                            const KeepGoing& keep_going);

}  // namespace train
