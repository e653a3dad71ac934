// Judges contributions by what they do to the loss.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "compress/body_stream.h"
#include "train/assignment.h"
#include "train/dataset.h"
#include "train/model.h"
#include "train/replica.h"
#include "train/training_sets.h"
#include "validator/evidence.h"

namespace validator {

// One contribution to judge.
struct Candidate {
  Uid uid;
  const compress::StoredBody* body = nullptr;
  std::span<const float> clip;  // clip_factors of the aggregate, a value a tensor.
  const train::Receipt* receipt = nullptr;
};

class Evaluator {
 public:
  // All outlive it. Contributions are of this `format`; they are put on and taken off on so many
  // `threads`.
  Evaluator(const common::Hparams& hparams, train::Model& model,
            const train::TrainingSets& training_sets, const train::Dataset& heldout_set,
            const compress::BodyFormat& format, uint32_t threads);

  // New sequences for a window, drawn without replacement from what the window and `seed_block`
  // decide: unknown before the deadline, the same for every validator, recomputable for ever.
  // Common ones are of the held-out set, control ones of the set that the window trains on, own
  // ones of the samples of a miner's receipt (each once, and only those that this set has).
  void begin(Window window, const Hash& seed_block);

  // Losses before and after `candidate`.
  //   common   sequences_min, then sequences_batch more at a time, until the gain is confidence_z
  //   errors away from
  //            zero, or tokens_max (but at least sequences_min sequences) or all there are have
  //            been read
  //   own      tokens_max, half of it own sequences and half control, or all there are. Not until
  //   it is clear: whoever
  //            looks again and again until a difference shows finds one in a coin, too.
  // Losses before are measured once a window for each sequence; one that is not finite before (the
  // model itself is broken there) is left out; after, whatever is not finite becomes plus infinity.
  // The replica is left as it was, bit for bit. An error is of our data or our disk, which could
  // not be read: both losses are empty then, because a look that failed makes nobody guilty, and
  // whether the replica is intact it says itself.
  // Pre: begin was called since the replica moved.
  common::Result<void> judge(train::Replica& replica, const Candidate& candidate, Losses& common,
                             OwnLosses& own);

  // Mean loss before, over the common sequences read so far this window: the held-out loss that is
  // shown. 0 if none were.
  double heldout_loss() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;

 public:
  ~Evaluator();
};

}  // namespace validator
