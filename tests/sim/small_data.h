// A network small enough for hundreds of runs: a model of a few thousand parameters, and text that
// it can learn.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "common/hparams.h"
#include "compress/codec.h"
#include "train/backend.h"
#include "train/dataset.h"
#include "train/learner.h"
#include "train/model.h"
#include "train/training_sets.h"

namespace sim {

struct SmallData {
  train::TrainingSets training_sets;
  train::Dataset heldout_set;
  common::Hparams hparams;  // Names the sets.
};
// Writes the sets below `folder`: sentences of a tiny grammar, as bytes. Above 0, the network
// anneals from `anneal_window` on, on a set that is ten times as large as the main one.
SmallData make_small_data(const std::filesystem::path& folder, uint64_t anneal_window = 0);

struct SmallModel {
  explicit SmallModel(const common::Hparams& hparams);
  std::unique_ptr<train::Backend> backend;
  train::Model model;
  std::unique_ptr<compress::Codec> codec;
};

// What a miner trains on: one machine, or several together.
struct SmallMachines {
  SmallMachines(const common::Hparams& hparams, size_t count);
  std::vector<std::unique_ptr<train::Backend>> backends;
  std::unique_ptr<train::Learner> learner;
};

}  // namespace sim
