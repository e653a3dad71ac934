// What every run of the quality study stands on: one model, one text, the same held-out sequences.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "common/result.h"
#include "tests/bench/quality_settings.h"
#include "train/backend.h"
#include "train/batch.h"
#include "train/dataset.h"
#include "train/model.h"

namespace bench {

// <folder>/train and <folder>/heldout. Where they are not, they are made: Debian's packages are
// downloaded, their text taken out (quality_text.py) and tokenized. Takes some minutes, once.
common::Result<void> prepare_tokens(const std::filesystem::path& folder);

class QualityGround {
 public:
  // `settings` says which model; one thread.
  static common::Result<std::unique_ptr<QualityGround>> open(const std::filesystem::path& folder,
                                                             const QualitySettings& settings,
                                                             train::Precision precision);

  // What `open` ends in.
  QualityGround(common::Hparams hparams, uint64_t seed, std::unique_ptr<train::Backend> backend,
                train::Dataset train, const train::Dataset& heldout);

  const common::Hparams& hparams() const { return hparams_; }
  train::Backend& backend() { return *backend_; }
  train::Model& model() { return model_; }
  const train::Dataset& train_set() const { return train_; }
  // The first digits of the two sets' hashes: runs on another text are other runs.
  std::string data_name() const;

  // What a miner reads in a window, in order. The same for every method with as many steps.
  std::vector<uint64_t> assigned(uint16_t uid, uint64_t window) const;
  train::Batch batch(std::span<const uint64_t> samples) const;

  // The loss of each of the first `count` held-out sequences (kHeldOut at most): drawn once, the
  // same in every run.
  std::vector<double> losses(std::span<const float> theta, size_t count);

 private:
  common::Hparams hparams_;
  uint64_t seed_;
  std::unique_ptr<train::Backend> backend_;
  train::Model model_;
  train::Dataset train_;
  common::Hash heldout_hash_;
  std::vector<train::Batch> heldout_;  // kHeldOutBatch sequences each.
};

inline constexpr size_t kHeldOut = 1024;
inline constexpr size_t kHeldOutBatch = 64;

}  // namespace bench
