// What is trained on: one data set, and in the annealing another.
#pragma once

#include <optional>

#include "common/hparams.h"
#include "common/window.h"
#include "train/dataset.h"

namespace train {

class TrainingSets {
 public:
  // `anneal` is there if hparams.inner.anneal_window is above 0 (CHECK).
  TrainingSets(const common::InnerParams& params, Dataset main, std::optional<Dataset> anneal = {});

  // The one set of a window: its assignments are drawn over it, its miners train on it, and its
  // contributions are judged on it. A pure function of hparams and window: the same everywhere.
  const Dataset& of(common::Window window) const;

 private:
  common::InnerParams params_;
  Dataset main_;
  std::optional<Dataset> anneal_;
};

}  // namespace train
