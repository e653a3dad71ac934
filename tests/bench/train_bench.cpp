// What a whole training step (forward, backward, AdamW) and an evaluation cost: tokens/s of the
// wall clock for the local network's model, 8 sequences of 128, by threads. The CPU column is that
// of all threads: on a machine that others use too, 1,024 tokens over it is what a core does. Fresh
// sequences each time, so that no predictor learns them by heart.
#include <benchmark/benchmark.h>

#include "common/philox.h"
#include "train/adamw.h"
#include "train/backend.h"
#include "train/model.h"

namespace {

constexpr common::ModelParams kModel{.vocabulary = 4096,
                                     .dim = 128,
                                     .layers = 4,
                                     .heads = 4,
                                     .kv_heads = 2,
                                     .hidden = 384,
                                     .sequence_length = 128,
                                     .rope_theta = 10000.0,
                                     .norm_epsilon = 1e-5,
                                     .tied_embeddings = true,
                                     .init_seed = 1,
                                     .init_std = 0.02};

constexpr common::InnerParams kInner{.steps = 30,
                                     .sequences_per_step = 8,
                                     .learning_rate = 1e-3,
                                     .warmup_windows = 1,
                                     .decay_windows = 100,
                                     .final_ratio = 0.1,
                                     .beta1 = 0.9,
                                     .beta2 = 0.95,
                                     .epsilon = 1e-8,
                                     .weight_decay = 0.1,
                                     .gradient_clip = 1.0};

struct Setup {
  explicit Setup(const benchmark::State& state)
      : backend(train::make_backend("cpu", static_cast<uint32_t>(state.range(0))).value()),
        layout(train::parameter_layout(kModel, {"sparseloco", 4096, 64, 0.95})),
        theta(train::initial_parameters(kModel, layout)),
        model(kModel, *backend) {}

  train::Batch batch() {
    std::vector<std::vector<uint32_t>> runs(kInner.sequences_per_step,
                                            std::vector<uint32_t>(kModel.sequence_length + 1));
    for (auto& run : runs) {
      for (uint32_t& token : run) token = static_cast<uint32_t>(random.below(kModel.vocabulary));
    }
    return train::make_batch(runs, 0, true);
  }

  std::unique_ptr<train::Backend> backend;
  compress::Layout layout;
  std::vector<float> theta;
  train::Model model;
  common::Philox random{1};
};

// Tokens per second of the wall clock, threads as the argument says.
void report(benchmark::State& state) {
  const int64_t tokens = int64_t{kInner.sequences_per_step} * kModel.sequence_length;
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(state.iterations() * tokens),
                                                  benchmark::Counter::kIsRate);
}

void BM_TrainStep(benchmark::State& state) {
  Setup setup(state);
  train::AdamW optimiser(setup.layout, kInner);
  std::vector<float> gradient(setup.theta.size());
  for (auto _ : state) {
    gradient.assign(gradient.size(), 0.0F);
    setup.model.loss_and_gradient(setup.theta, setup.batch(), gradient);
    optimiser.step(setup.theta, gradient, 1e-3);
  }
  report(state);
}

void BM_Losses(benchmark::State& state) {
  Setup setup(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(setup.model.losses(setup.theta, setup.batch()));
  }
  report(state);
}

void BM_AdamW(benchmark::State& state) {
  Setup setup(state);
  train::AdamW optimiser(setup.layout, kInner);
  const std::vector<float> gradient(setup.theta.size(), 1e-3F);
  for (auto _ : state) optimiser.step(setup.theta, gradient, 1e-3);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(gradient.size()));
}

BENCHMARK(BM_TrainStep)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(BM_Losses)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(BM_AdamW)->Arg(1)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
