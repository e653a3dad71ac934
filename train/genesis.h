// The state that a network begins with: parameters drawn by a seed, or a given model's.
#pragma once

#include <filesystem>

#include "common/hparams.h"
#include "common/result.h"
#include "train/replica.h"

namespace train {

// The replica before window 0. Where hparams.model.initial_theta is not zero, theta is read from
// `initial_model`, a Hugging Face folder, and its Merkle root must be that one; every node begins
// with the same bits, whatever it was stored as (bf16, fp16, fp32, shards).
//
// kInvalidArgument, with what to do: no folder named, a model of another shape, another root.
// Otherwise as HfFolder's errors. Memory: theta once. Time: one pass over the files.
common::Result<Replica> genesis(const common::Hparams& hparams,
                                const std::filesystem::path& initial_model);

// What can be said at the start of a program without reading the weights: the same errors, but that
// an absent folder is none, for a checkpoint of the network serves as well.
common::Result<void> check_initial_model(const common::Hparams& hparams,
                                         const std::filesystem::path& initial_model);

}  // namespace train
