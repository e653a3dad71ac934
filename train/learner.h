// What takes the inner steps of a window: a model and its optimiser, on one machine or on several
// that train it together.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "train/backend.h"
#include "train/batch.h"
#include "train/model.h"
#include "train/optimiser_parts.h"
#include "train/sharding.h"

namespace train {

class Learner {
 public:
  virtual ~Learner() = default;

  // Takes up a copy of theta (N), which is not touched (W4), and outlives the window's `finish`.
  // The optimiser goes on as it is.
  virtual common::Result<void> begin(std::span<const float> theta) = 0;
  // One step; the loss before it. kRefused, with where it began if that can be told, for a loss or
  // gradient that is not finite: nothing has moved then. Other errors are the machines'.
  // Pre: begun.
  virtual common::Result<double> step(const Batch& batch, double rate) = 0;
  // theta as it was less what it is now (N); the copy is let go.  Pre: begun.
  virtual common::Result<std::vector<float>> finish() = 0;

  // Of the whole model. Not while a call is under way.
  virtual OptimiserParts optimiser() = 0;
};

// One machine, with a model and an optimiser of its own, or with those of somebody else, which
// outlive it. Memory: the copy, which becomes the difference, and the gradient, from begin to
// finish; on a machine with memory of its own the copy there too.
std::unique_ptr<Learner> make_learner(const common::Hparams& hparams, Backend& backend,
                                      const ModelOptions& options);
std::unique_ptr<Learner> make_learner(Model& model, Optimiser& optimiser);

// Several, a rank each, of this process; memory as train/sharding.h says. They outlive it. Machines
// of one kind; of cards see make_card_ranks. Once a rank has failed every call says why, and there
// is no way on but a new learner.
std::unique_ptr<Learner> make_sharded_learner(const common::Hparams& hparams,
                                              std::span<const std::unique_ptr<Backend>> machines,
                                              Sharding sharding, const ModelOptions& options);

}  // namespace train
