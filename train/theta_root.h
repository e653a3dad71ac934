// The Merkle root of a model's parameters: what a checkpoint is checked against, and what
// hparams.model.initial_theta names. It is the tree hash (common/tree_hash.h) of theta's bytes:
// fp32, little-endian.
#pragma once

#include <span>

#include "common/hash.h"
#include "common/tree_hash.h"

namespace train {

common::Hash theta_root(std::span<const float> theta);

// The same of a theta that comes in parts.
class ThetaHasher {
 public:
  void update(std::span<const float> values);
  // Once.
  common::Hash finish() { return tree_.root(); }

 private:
  common::TreeHasher tree_;
};

}  // namespace train
