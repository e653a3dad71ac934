// A whole network small enough for a test: a language, its data sets, a tiny model, and miners that
// really train.
#pragma once

#include <memory>
#include <vector>

#include "common/hparams.h"
#include "compress/codec.h"
#include "tests/temp_folder.h"
#include "tests/train/judged_body.h"
#include "train/backend.h"
#include "train/dataset.h"
#include "train/inner.h"
#include "train/model.h"
#include "train/replica.h"
#include "train/training_sets.h"

namespace validator {

struct Contribution {
  std::unique_ptr<const train::JudgedBody> body;
  compress::Update update;  // Its values.
  train::Receipt receipt;
};

class SmallNetwork {
 public:
  // With `anneal_window` above 0 the network anneals from there on, on a set of 8,000 samples.
  explicit SmallNetwork(uint64_t anneal_window = 0);

  const common::Hparams& hparams() const { return hparams_; }
  common::Hparams& hparams() { return hparams_; }
  train::Model& model() { return model_; }
  const train::TrainingSets& training_sets() const { return training_sets_; }
  const train::Dataset& train_set() const { return training_sets_.of({0}); }  // 4,000 samples.
  const train::Dataset& heldout_set() const { return heldout_set_; }
  train::Replica& replica() { return replica_; }
  const compress::BodyFormat& format() const { return *format_; }
  Contribution encoded(std::span<const float> delta, train::Receipt receipt) const;

  // Trains on the samples of `data` (a uid's assignment in `window`), and claims those of
  // `claimed`.
  Contribution train(common::Uid data, common::Uid claimed, common::Window window);
  Contribution honest(common::Uid uid, common::Window window) { return train(uid, uid, window); }
  // The right shape, and nothing learned: `scale` times noise.
  Contribution noise(common::Uid uid, common::Window window, float scale);
  std::vector<uint64_t> assigned(common::Uid uid, common::Window window) const;

 private:
  tests::TempFolder folder_;
  common::Hparams hparams_;
  std::unique_ptr<train::Backend> backend_;
  train::Model model_;
  train::TrainingSets training_sets_;
  train::Dataset heldout_set_;
  train::Replica replica_;
  std::unique_ptr<compress::Codec> codec_;
  compress::Layout layout_;
  std::unique_ptr<const compress::BodyFormat> format_;
};

}  // namespace validator
