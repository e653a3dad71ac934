// Small models, batches and hparams for the tests of train.
#pragma once

#include <vector>

#include "common/hparams.h"
#include "common/philox.h"
#include "train/batch.h"
#include "train/model.h"

namespace train {

inline const common::CodecParams kCodec{
    .name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 0.95};

// 4 query heads of 2 values read 2 key heads.
inline common::ModelParams small_model(bool tied) {
  return {.vocabulary = 13,
          .dim = 8,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .hidden = 12,
          .sequence_length = 7,
          .rope_theta = 10000.0,
          .rope_factor = 1,
          .norm_epsilon = 1e-5,
          .tied_embeddings = tied,
          .init_seed = 1,
          .init_std = 0.3};
}

// 80 layers of 855,654,400 parameters (q and o 8192^2, k and v 8192 * 1024, gate, up and down 8192
// * 28672 each, two norms of 8192), the last norm, and one table or two of 262,144 * 8192: untied
// 72,747,327,488.
inline common::ModelParams large_model(bool tied) {
  return {.vocabulary = 262'144,
          .dim = 8192,
          .layers = 80,
          .heads = 64,
          .kv_heads = 8,
          .hidden = 28'672,
          .sequence_length = 2048,
          .rope_theta = 500'000,
          .rope_factor = 1,
          .norm_epsilon = 1e-5,
          .tied_embeddings = tied,
          .init_seed = 1,
          .init_std = 0.02};
}

inline constexpr uint32_t kEnd = 0;

// Tokens below `vocabulary`; about one in four ends a document.
inline std::vector<std::vector<uint32_t>> random_runs(uint64_t seed, size_t B, size_t T,
                                                      uint32_t vocabulary) {
  common::Philox random(seed);
  std::vector<std::vector<uint32_t>> runs(B, std::vector<uint32_t>(T + 1));
  for (auto& run : runs) {
    for (uint32_t& token : run) {
      token = random.below(4) == 0 ? kEnd : static_cast<uint32_t>(random.below(vocabulary));
    }
  }
  return runs;
}

inline common::InnerParams small_inner() {
  return {.steps = 4,
          .sequences_per_step = 3,
          .optimiser = "adamw",
          .learning_rate = 0.01,
          .warmup_windows = 2,
          .decay_windows = 10,
          .final_ratio = 0.1,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .epsilon = 1e-8,
          .weight_decay = 0.1,
          .gradient_clip = 1.0,
          .muon_momentum = 0.95,
          .muon_iterations = 5,
          .muon_adamw_ratio = 0.2};
}

}  // namespace train
