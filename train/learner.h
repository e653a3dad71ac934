// What takes the inner steps of a window: a model and its optimiser, on one machine or on several
// that train it together.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "train/backend.h"
#include "train/batch.h"
#include "train/communicator.h"
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

// What a miner trains with: its machine, or all of them together, which are of one kind and outlive
// it. Of cards the plan that fits (train/memory_plan.h) decides what is sharded, what is recomputed
// even if `options` does not say so, and how many positions are worked on at once; CPUs share the
// optimiser alone. kExhausted, with what it would take: the cards cannot hold the model. Otherwise
// make_card_ranks' errors.
common::Result<std::unique_ptr<Learner>> open_learner(
    const common::Hparams& hparams, std::span<const std::unique_ptr<Backend>> machines,
    ModelOptions options);

// Several of one kind, which outlive it, each one of `ranks`, which talk by memory of that kind;
// memory as train/sharding.h says. Once a rank has failed every call says why, and there is no way
// on but a new learner.  Pre: as many machines as ranks.
std::unique_ptr<Learner> make_learner(const common::Hparams& hparams,
                                      std::span<const std::unique_ptr<Backend>> machines,
                                      std::unique_ptr<Ranks> ranks, Sharding sharding,
                                      const ModelOptions& options,
                                      MomentHome moments = MomentHome::kMachine);

}  // namespace train
