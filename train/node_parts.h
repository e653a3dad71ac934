// A node's half that knows no chain: what its configuration names, opened and checked.
#pragma once

#include <memory>
#include <vector>

#include "common/files.h"
#include "common/hparams.h"
#include "common/node_config.h"
#include "common/object_store.h"
#include "compress/codec.h"
#include "train/backend.h"
#include "train/dataset.h"
#include "train/model.h"
#include "train/peers.h"
#include "train/training_sets.h"

namespace train {

struct NodeParts {
  common::FolderLock lock;  // Of the data folder: one process at a time.
  common::Hparams hparams;
  TrainingSets training_sets;
  std::vector<std::unique_ptr<Backend>> machines;  // At least one.
  std::unique_ptr<compress::Codec> codec;
  std::unique_ptr<common::ObjectStore> bucket;  // Ours, as peers see it.
  std::unique_ptr<common::ObjectStore> local;   // Checkpoints on our disk.
};

// Errors name the file and what to do: a data folder in use, hparams that do not parse, a token set
// that is not the network's, one for the annealing
// that is not named, a bucket that cannot be written, a device that is not there.
common::Result<NodeParts> open_node(const common::NodeConfig& config);

// What a validator judges with, on its one machine: several are kInvalidArgument.
common::Result<std::unique_ptr<Model>> open_model(const common::NodeConfig& config,
                                                  const NodeParts& node);

// The held-out set, for validators.
common::Result<Dataset> open_heldout(const common::NodeConfig& config,
                                     const common::Hparams& hparams);

// Opens peers' buckets, for reading.
OpenStore peer_store_opener();

}  // namespace train
