// The Merkle root of a model's parameters: what a checkpoint is checked against, and what
// hparams.model.initial_theta names.
#pragma once

#include <span>
#include <vector>

#include "common/hash.h"

namespace train {

// Leaves are BLAKE2b-256 of 1 MiB of theta's bytes (fp32, little-endian), the last perhaps shorter.
common::Hash theta_root(std::span<const float> theta);

// The same of a theta that comes in parts.
class ThetaHasher {
 public:
  void update(std::span<const float> values);
  // Once.
  common::Hash finish();

 private:
  common::Hasher leaf_;
  size_t leaf_bytes_ = 0;  // In `leaf_` so far.
  std::vector<common::Hash> leaves_;
};

}  // namespace train
