// A network small enough for hundreds of runs: a model of a few thousand parameters, and text that
// it can learn.
#pragma once

#include <filesystem>
#include <memory>

#include "common/hparams.h"
#include "compress/codec.h"
#include "train/backend.h"
#include "train/dataset.h"
#include "train/model.h"

namespace sim {

struct SmallData {
  train::Dataset train_set;
  train::Dataset heldout_set;
  common::Hparams hparams;  // Names both sets.
};
// Writes both sets below `folder`: sentences of a tiny grammar, as bytes.
SmallData make_small_data(const std::filesystem::path& folder);

struct SmallModel {
  explicit SmallModel(const common::Hparams& hparams);
  std::unique_ptr<train::Backend> backend;
  train::Model model;
  std::unique_ptr<compress::Codec> codec;
};

}  // namespace sim
