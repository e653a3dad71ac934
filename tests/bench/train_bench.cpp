// What a whole training step costs: forward, backward, AdamW, on 4,096 tokens of fresh sequences.
//
//   train_bench [--device=cpu|cuda:0] [--benchmark_filter='s15/seq:256/bf16/threads:2']
//
// Sizes: tiny is the local network's model (1.3 M parameters, sequences of 128); s15 and m110 have
// 14.5 M and 100 M (dim 288 and 768, 6 and 12 layers, vocabulary 32,000). Counters: tokens/s of the
// wall clock; FLOP/s of the model, counted as 6 N + 6 layers dim T a token (causal attention once,
// tied embeddings once); `ceiling`, that rate's share of what one large product of matrices reaches
// on the same backend in the same run; peak memory of the process so far, so ask for one row at a
// time to see that row's. tests/bench/compare_training.py sets PyTorch beside it.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "common/philox.h"
#include "train/adamw.h"
#include "train/buffer.h"
#include "train/model.h"

namespace {

constexpr int64_t kTokens = 4096;  // A step's.

struct Size {
  std::string_view name;
  common::ModelParams model;
};

common::ModelParams llama(uint32_t vocabulary, uint32_t dim, uint32_t layers, uint32_t heads,
                          uint32_t kv_heads, uint32_t hidden) {
  return {.vocabulary = vocabulary,
          .dim = dim,
          .layers = layers,
          .heads = heads,
          .kv_heads = kv_heads,
          .hidden = hidden,
          .sequence_length = 1024,
          .rope_theta = 10000.0,
          .rope_factor = 1,
          .norm_epsilon = 1e-5,
          .tied_embeddings = true,
          .init_seed = 1,
          .init_std = 0.02};
}

const Size kTiny{"tiny", llama(4096, 128, 4, 4, 2, 384)};
const Size kS15{"s15", llama(32000, 288, 6, 6, 2, 768)};
const Size kM110{"m110", llama(32000, 768, 12, 12, 4, 2048)};

const common::InnerParams kInner{.optimiser = "adamw",
                                 .learning_rate = 1e-4,
                                 .beta1 = 0.9,
                                 .beta2 = 0.95,
                                 .epsilon = 1e-8,
                                 .weight_decay = 0.1,
                                 .gradient_clip = 1.0};

struct Row {
  Size size;
  uint32_t T;
  train::Precision precision;
  uint32_t threads;

  std::string name() const {
    const char* bits = precision == train::Precision::kBf16 ? "bf16" : "fp32";
    return std::string(size.name) + "/seq:" + std::to_string(T) + "/" + bits +
           "/threads:" + std::to_string(threads);
  }
  double flops_per_token(uint64_t parameters) const {
    const double attention = 6.0 * size.model.layers * size.model.dim * T;
    return 6.0 * static_cast<double>(parameters) + attention;
  }
};

double seconds() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

// FLOP/s of one large product on this backend: the best of some, since neighbours only slow it.
double product_ceiling(train::Backend& backend) {
  const int N = 2048, C = 1024, O = 4096;
  train::ActivationBuffer x(backend);
  train::ActivationBuffer out(backend);
  train::Buffer<float> values(backend);
  train::Buffer<std::byte> packed(backend);
  x.upload(std::vector<float>(size_t{N} * C, 0.5F));
  values.upload(std::vector<float>(size_t{O} * C, 0.25F));
  out.reserve(size_t{N} * O);
  packed.reserve(backend.packed_size(O, C));
  const train::Weight weight{values.data(), packed.data(), O, C};
  backend.pack(weight);
  double best = 0;
  for (int i = 0; i < 12; ++i) {
    const double begin = seconds();
    backend.linear_forward(out.data(), nullptr, x.data(), weight, N);
    std::vector<float> last(1);
    backend.download_activations(last, out.data());  // Waits for the machine.
    best = std::max(best, 2.0 * N * C * O / (seconds() - begin));
  }
  return best;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class Training {
 public:
  Training(const Row& row, train::Backend& backend)
      : row_(row),
        layout_(train::parameter_layout(row.size.model, {"sparseloco", 4096, 64, 0.95})),
        theta_(train::initial_parameters(row.size.model, layout_)),
        gradient_(theta_.size()),
        model_(row.size.model, backend),
        optimiser_(layout_, kInner, backend) {}

  uint64_t parameters() const { return theta_.size(); }
  train::Batch batch() {
    std::vector<std::vector<uint32_t>> runs(kTokens / row_.T, std::vector<uint32_t>(row_.T + 1));
    for (auto& run : runs) {
      for (uint32_t& token : run)
        token = 1 + static_cast<uint32_t>(random_.below(row_.size.model.vocabulary - 1));
    }
    return train::make_batch(runs, 0, true);
  }
  void step(const train::Batch& batch) {
    std::ranges::fill(gradient_, 0.0F);
    model_.loss_and_gradient(theta_.data(), batch, gradient_.data());
    train::Backend& backend = optimiser_.backend();
    const double norm = train::gradient_norm(backend, gradient_.data(), gradient_.size());
    optimiser_.step(theta_.data(), gradient_.data(), kInner.learning_rate, norm);
  }
  void evaluate(const train::Batch& batch) {
    benchmark::DoNotOptimize(model_.losses(theta_, batch));
  }

 private:
  Row row_;
  compress::Layout layout_;
  std::vector<float> theta_;
  std::vector<float> gradient_;
  train::Model model_;
  train::AdamW optimiser_;
  common::Philox random_{1};
};

using Work = void (Training::*)(const train::Batch&);

void run(benchmark::State& state, const Row& row, const std::string& device, Work work) {
  auto backend = train::make_backend(device, row.threads, row.precision);
  if (!backend) return state.SkipWithError(backend.error().message.c_str());
  Training training(row, **backend);
  (training.*work)(training.batch());  // Makes the machine's memory.
  for (auto _ : state) {
    state.PauseTiming();
    const train::Batch batch = training.batch();
    state.ResumeTiming();
    (training.*work)(batch);
  }
  const auto tokens = static_cast<double>(state.iterations() * kTokens);
  const double share_of_step = work == &Training::evaluate ? 1.0 / 3 : 1.0;
  const double flops = tokens * row.flops_per_token(training.parameters()) * share_of_step;
  using benchmark::Counter;
  state.counters["tokens/s"] = Counter(tokens, Counter::kIsRate);
  state.counters["FLOP/s"] = Counter(flops, Counter::kIsRate);
  state.counters["ceiling"] = Counter(flops / product_ceiling(**backend), Counter::kIsRate);
  state.counters["peak_MiB"] = peak_mebibytes();
}

void add(const Row& row, const std::string& device) {
  const auto named = [&](const std::string& name, Work work) {
    benchmark::RegisterBenchmark(name.c_str(), run, row, device, work)
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime()
        ->UseRealTime();
  };
  named(row.name(), &Training::step);
  if (row.T == 256 || row.size.name == kTiny.name) {
    named("losses/" + row.name(), &Training::evaluate);
  }
}

void add_rows(const std::string& device) {
  for (const train::Precision precision : {train::Precision::kFp32, train::Precision::kBf16}) {
    for (const uint32_t threads : {1U, 2U}) {
      add({kTiny, 128, precision, threads}, device);
      for (const Size& size : {kS15, kM110}) {
        for (const uint32_t T : {256U, 1024U}) add({size, T, precision, threads}, device);
      }
    }
  }
}

// The flag's value, taken out of the arguments; Google Benchmark knows none but its own.
std::string take_device(int& argc, char** argv) {
  constexpr const char* kFlag = "--device=";
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], kFlag, std::strlen(kFlag)) != 0) continue;
    const std::string device = argv[i] + std::strlen(kFlag);
    std::rotate(argv + i, argv + i + 1, argv + argc);
    --argc;
    return device;
  }
  return "cpu";
}

}  // namespace

int main(int argc, char** argv) {
  add_rows(take_device(argc, argv));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
