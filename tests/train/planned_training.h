// A small training whose memory is planned, and then taken, on a machine that counts.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/train/small_model.h"
#include "train/communicator.h"
#include "train/learner.h"
#include "train/memory_plan.h"

namespace train {

struct PlannedTraining {
  common::Hparams hparams;
  int ranks = 1;
  PlanOptions options = {};
};

// Widths that ranks cannot share evenly, and enough layers for the places to take turns; a step of
// 10 sequences, which 3 ranks cannot share evenly either.
inline PlannedTraining planned_training(bool tied, const std::string& optimiser) {
  PlannedTraining training{};
  common::Hparams& hparams = training.hparams;
  hparams.model = small_model(tied);
  hparams.model.dim = 24;
  hparams.model.hidden = 40;
  hparams.model.layers = 5;
  hparams.inner = small_inner();
  hparams.inner.optimiser = optimiser;
  hparams.inner.sequences_per_step = 10;
  hparams.codec = kCodec;
  hparams.outer = {.learning_rate = 1,
                   .divide = "contributors",
                   .rule = "average",
                   .norm_floor = 0.1,
                   .contributors_max = 20};
  return training;
}

inline ModelOptions model_options(const PlannedTraining& training) {
  return {.recompute = training.options.recompute,
          .positions_at_once = training.options.positions_at_once};
}

inline Batch planned_batch(const PlannedTraining& training, uint64_t seed) {
  const common::Hparams& hparams = training.hparams;
  return make_batch(random_runs(seed, hparams.inner.sequences_per_step,
                                hparams.model.sequence_length, hparams.model.vocabulary),
                    kEnd, true);
}

inline std::vector<float> planned_theta(const PlannedTraining& training) {
  const common::ModelParams& model = training.hparams.model;
  return initial_parameters(model, parameter_layout(model, kCodec));
}

// Takes two steps; `look` is called after each, while all of it is there.
template <typename Look>
void train_alone(const PlannedTraining& training, Backend& backend, Look look) {
  const auto learner = make_learner(training.hparams, backend, model_options(training));
  const std::vector<float> theta = planned_theta(training);
  ASSERT_TRUE(learner->begin(theta));
  for (const uint64_t seed : {1U, 2U}) {
    ASSERT_TRUE(learner->step(planned_batch(training, seed), 1e-3));
    look();
  }
}
template <typename Look>
common::Result<void> train_rank(const PlannedTraining& training, Backend& backend,
                                Communicator& communicator, Look look) {
  const common::Hparams& hparams = training.hparams;
  ShardedTraining sharded(hparams.model, hparams.inner, *training.options.sharding, backend,
                          communicator, model_options(training), training.options.moments);
  TRY_VOID(sharded.begin(planned_theta(training)));
  for (const uint64_t seed : {1U, 2U}) {
    TRY_VOID(sharded.step(planned_batch(training, seed), 1e-3));
    look();
  }
  return {};
}

struct PlannedStage {
  std::optional<Sharding> sharding;
  MomentHome moments = MomentHome::kMachine;
};

inline std::vector<PlannedStage> planned_stages(int ranks) {
  if (ranks == 1) return {{std::nullopt}, {Sharding::kOptimiser, MomentHome::kHost}};
  std::vector<PlannedStage> stages;
  for (const Sharding sharding :
       {Sharding::kOptimiser, Sharding::kGradients, Sharding::kParameters}) {
    for (const MomentHome home : {MomentHome::kMachine, MomentHome::kHost}) {
      stages.push_back({sharding, home});
    }
  }
  return stages;
}

// Every kind: stages, precision aside; tied or not, each optimiser, with and without recomputation,
// micro-batches that do not divide a part.
template <typename Try>
void each_planned_training(int ranks, const Try& attempt) {
  for (const auto& [sharding, moments] : planned_stages(ranks)) {
    for (const bool tied : {true, false}) {
      for (const std::string optimiser : {"adamw", "muon"}) {
        for (const int positions : {0, 14}) {
          PlannedTraining training = planned_training(tied, optimiser);
          training.ranks = ranks;
          training.options = {.sharding = sharding,
                              .moments = moments,
                              .recompute = positions > 0,
                              .positions_at_once = positions};
          SCOPED_TRACE(testing::Message()
                       << "ranks " << ranks << " stage "
                       << (sharding ? static_cast<int>(*sharding) : 0) << " moments on host "
                       << (moments == MomentHome::kHost) << " tied " << tied << " " << optimiser
                       << " positions " << positions);
          attempt(training);
        }
      }
    }
  }
}

}  // namespace train
