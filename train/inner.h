// The inner loop: H steps of the optimiser from theta on the assigned samples, and what they
// changed.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "common/window.h"
#include "train/assignment.h"
#include "train/dataset.h"
#include "train/learner.h"
#include "train/model.h"
#include "train/optimiser.h"

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
// of sequences_per_step samples each, in the order of `assigned`, which names at least so many;
// `dataset` is the one that the window reads (train/training_sets.h).
//
// A loss or a gradient that is not finite is our trouble, kRefused: the sentence names the step and
// where it began. Nothing is sent then, and the learner's optimiser has steps in it of a window
// that does not count: the caller restores or resets it. Of a data set in a bucket the samples are
// fetched while the steps before them train; samples that cannot be read are an error before the
// first step, and the optimiser is untouched; later they end the loop there, with a warning in the
// log, as a slow machine's deadline does.
common::Result<PseudoGradient> train_window(std::span<const float> theta, Learner& learner,
                                            const Dataset& dataset,
                                            std::span<const uint64_t> assigned,
                                            const common::Hparams& hparams, common::Window window,
                                            const KeepGoing& keep_going);
// The same on one machine, whose both are.
common::Result<PseudoGradient> train_window(std::span<const float> theta, Model& model,
                                            Optimiser& optimiser, const Dataset& dataset,
                                            std::span<const uint64_t> assigned,
                                            const common::Hparams& hparams, common::Window window,
                                            const KeepGoing& keep_going);

}  // namespace train
