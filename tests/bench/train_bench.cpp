// What a whole training step costs: forward, backward, AdamW, on fresh sequences.
//
//   train_bench [--device=cpu] [--benchmark_filter='s15/seq:256/bf16/threads:2']
//   train_bench --device=cuda:0 [--benchmark_filter='^b1.2/']
//
// Sizes on a CPU: tiny is the local network's model (1.3 M parameters, sequences of 128); s15 and
// m110 have 14.5 M and 100 M (dim 288 and 768, 6 and 12 layers, vocabulary 32,000); a step is of
// 4,096 tokens. On a card, at sequences of 2,048 in bf16: s15, m110, b1.2 and b8, which have the
// shapes of Llama 3.2 1B (1.24 G parameters, tied) and of Llama 3 8B (8.03 G), and as many tokens a
// step as its row says, so that the card is full and the optimiser's share is small.
//
// Counters: tokens/s of the wall clock; FLOP/s of the model, counted as 6 N + 6 layers dim T a
// token (causal attention once; N without a table that is only looked up in); `ceiling`, that
// rate's share of what one large product of matrices reaches on the same backend in the same run;
// peak memory of the process so far, so ask for one row at a time to see that row's. Of a card
// besides: `mfu_989`, the share of an H200's datasheet rate in dense bf16; `matrix_FLOP/s`, the
// rate that was measured (8,192 x 8,192 x 8,192, random data); and the plan that it runs by
// (train/memory_plan.h): plan_GiB of card_GiB, positions of a micro-batch, whether layers are
// recomputed. Parameters, gradient and moments lie on the card.
//
// tests/bench/compare_training.py sets PyTorch beside the CPU's rows. The rows of a card have never
// been run on one.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/philox.h"
#include "train/adamw.h"
#include "train/buffer.h"
#include "train/memory_plan.h"
#include "train/model.h"

namespace {

constexpr int64_t kTokens = 4096;  // A step's, on a CPU.
// NVIDIA's datasheet of the H200, dense bf16.
constexpr double kDatasheetRate = 989e12;

struct Size {
  std::string_view name;
  common::ModelParams model;
};

common::ModelParams llama(uint32_t vocabulary, uint32_t dim, uint32_t layers, uint32_t heads,
                          uint32_t kv_heads, uint32_t hidden, bool tied = true) {
  return {.vocabulary = vocabulary,
          .dim = dim,
          .layers = layers,
          .heads = heads,
          .kv_heads = kv_heads,
          .hidden = hidden,
          .sequence_length = 2048,
          .rope_theta = 10000.0,
          .rope_factor = 1,
          .norm_epsilon = 1e-5,
          .tied_embeddings = tied,
          .init_seed = 1,
          .init_std = 0.02};
}

const Size kTiny{"tiny", llama(4096, 128, 4, 4, 2, 384)};
const Size kS15{"s15", llama(32000, 288, 6, 6, 2, 768)};
const Size kM110{"m110", llama(32000, 768, 12, 12, 4, 2048)};
const Size kB1{"b1.2", llama(128256, 2048, 16, 32, 8, 8192)};
const Size kB8{"b8", llama(128256, 4096, 32, 32, 8, 14336, false)};

const common::CodecParams kCodec{"sparseloco", 4096, 64, 0.95};
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
  uint32_t sequences;  // A step's.

  int64_t tokens() const { return int64_t{sequences} * T; }
  std::string name() const {
    const char* bits = precision == train::Precision::kBf16 ? "bf16" : "fp32";
    return std::string(size.name) + "/seq:" + std::to_string(T) + "/" + bits;
  }
  double flops_per_token(uint64_t parameters) const {
    const common::ModelParams& model = size.model;
    const uint64_t looked_up = model.tied_embeddings ? 0 : uint64_t{model.vocabulary} * model.dim;
    const double attention = 6.0 * model.layers * model.dim * T;
    return 6.0 * static_cast<double>(parameters - looked_up) + attention;
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

uint64_t mixed(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Uniform, of this deviation: value i of a stream is one hash, so that all cores can share the
// work. Twelve draws a value, as train::initial_parameters has it, would take minutes for 8 G.
void fill_uniform(std::span<float> out, uint64_t first, double deviation) {
  const auto scale = static_cast<float>(deviation * std::sqrt(3.0) / (1 << 23));
  const size_t threads = std::max(1U, std::thread::hardware_concurrency());
  const size_t each = (out.size() + threads - 1) / threads;
  std::vector<std::jthread> workers;
  for (size_t begin = 0; begin < out.size(); begin += each) {
    workers.emplace_back([=, part = out.subspan(begin, std::min(each, out.size() - begin))] {
      for (size_t i = 0; i < part.size(); ++i) {
        const auto drawn = static_cast<int32_t>(mixed(first + begin + i) >> 40) - (1 << 23);
        part[i] = scale * static_cast<float>(drawn);
      }
    });
  }
}

// As training begins, in the machine's memory; of it the host holds 64 MiB at a time.
void begin_in_pieces(train::Buffer<float>& theta, const compress::Layout& layout,
                     const common::ModelParams& model, train::Backend& backend) {
  theta.reserve(layout.parameter_count());
  std::vector<float> piece(size_t{1} << 24);
  for (const compress::Tensor& tensor : layout.tensors()) {
    const bool to_stream =
        tensor.name.ends_with("o_proj.weight") || tensor.name.ends_with("down_proj.weight");
    const double deviation =
        to_stream ? model.init_std / std::sqrt(2.0 * model.layers) : model.init_std;
    for (uint64_t first = 0; first < tensor.size(); first += piece.size()) {
      const uint64_t at = tensor.offset + first;
      const auto part = std::span(piece).first(std::min(piece.size(), tensor.size() - first));
      if (tensor.is_vector()) {
        std::ranges::fill(part, 1.0F);
      } else {
        fill_uniform(part, at, deviation);
      }
      backend.upload(theta.data() + at, part.data(), part.size_bytes());
    }
  }
}

// FLOP/s of products of 8,192^3 on random data, many in a row and then one wait: the median of
// some. On a machine of its own, gone before the model comes.
double matrix_rate(const std::string& device) {
  auto backend = train::make_backend(device, 0, train::Precision::kBf16).value();
  constexpr int kSide = 8192, kRows = 512, kTogether = 20, kRounds = 7;
  constexpr size_t kPart = size_t{kRows} * kSide;
  train::ActivationBuffer x(*backend);
  train::ActivationBuffer out(*backend);
  train::Buffer<float> values(*backend);
  train::Buffer<std::byte> packed(*backend);
  x.reserve(size_t{kSide} * kSide);
  out.reserve(size_t{kSide} * kSide);
  values.reserve(size_t{kSide} * kSide);
  packed.reserve(backend->packed_size(kSide, kSide));
  std::vector<float> part(kPart);
  for (size_t first = 0; first < x.size(); first += kPart) {
    fill_uniform(part, first, 1.0);
    auto* const to = reinterpret_cast<std::byte*>(x.data()) + first * backend->activation_size();
    backend->upload_activations(reinterpret_cast<train::Activation*>(to), part);
    fill_uniform(part, x.size() + first, 0.02);
    backend->upload(values.data() + first, part.data(), kPart * sizeof(float));
  }
  const train::Weight weight{values.data(), packed.data(), kSide, kSide};
  backend->pack(weight);
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<float> last(1);
    out.download(last);
    const double begin = seconds();
    for (int i = 0; i < kTogether; ++i) {
      backend->linear_forward(out.data(), nullptr, x.data(), weight, kSide);
    }
    out.download(last);  // Waits for the machine.
    if (round > 0) rates.push_back(kTogether * 2.0 * kSide * kSide * kSide / (seconds() - begin));
  }
  std::ranges::sort(rates);
  return rates[rates.size() / 2];
}

class Training {
 public:
  Training(const Row& row, train::Backend& backend, const train::ModelOptions& options)
      : row_(row),
        backend_(backend),
        layout_(train::parameter_layout(row.size.model, kCodec)),
        theta_(backend),
        gradient_(backend),
        model_(row.size.model, backend, options),
        optimiser_(layout_, kInner, backend) {
    if (backend.unified_memory()) {
      theta_.upload(train::initial_parameters(row.size.model, layout_));
    } else {
      begin_in_pieces(theta_, layout_, row.size.model, backend);
    }
    gradient_.reserve(parameters());
  }

  uint64_t parameters() const { return layout_.parameter_count(); }
  train::Batch batch() {
    std::vector<std::vector<uint32_t>> runs(row_.sequences, std::vector<uint32_t>(row_.T + 1));
    for (auto& run : runs) {
      for (uint32_t& token : run)
        token = 1 + static_cast<uint32_t>(random_.below(row_.size.model.vocabulary - 1));
    }
    return train::make_batch(runs, 0, true);
  }
  void step(const train::Batch& batch) {
    backend_.clear(gradient_.data(), parameters() * sizeof(float));
    model_.loss_and_gradient(theta_.data(), batch, gradient_.data());
    const double norm = train::gradient_norm(backend_, gradient_.data(), parameters());
    optimiser_.step(theta_.data(), gradient_.data(), kInner.learning_rate, norm);
    float last = 0;
    backend_.download(&last, theta_.data() + parameters() - 1, sizeof(last));  // Waits for it.
    benchmark::DoNotOptimize(last);
  }
  // Where memory is one.
  void evaluate(const train::Batch& batch) {
    benchmark::DoNotOptimize(model_.losses({theta_.data(), parameters()}, batch));
  }

 private:
  Row row_;
  train::Backend& backend_;
  compress::Layout layout_;
  train::Buffer<float> theta_;
  train::Buffer<float> gradient_;
  train::Model model_;
  train::AdamW optimiser_;
  common::Philox random_{1};
};

using Work = void (Training::*)(const train::Batch&);

// Runs `work` for every round of the bench; the FLOPs of all of them.
double work_through(benchmark::State& state, const Row& row, Training& training, Work work) {
  (training.*work)(training.batch());  // Makes the machine's memory.
  for (auto _ : state) {
    state.PauseTiming();
    const train::Batch batch = training.batch();
    state.ResumeTiming();
    (training.*work)(batch);
  }
  const auto tokens = static_cast<double>(state.iterations() * row.tokens());
  const double share_of_step = work == &Training::evaluate ? 1.0 / 3 : 1.0;
  const double flops = tokens * row.flops_per_token(training.parameters()) * share_of_step;
  using benchmark::Counter;
  state.counters["tokens/s"] = Counter(tokens, Counter::kIsRate);
  state.counters["FLOP/s"] = Counter(flops, Counter::kIsRate);
  return flops;
}

void run_cpu(benchmark::State& state, const Row& row, const std::string& device, Work work) {
  auto backend = train::make_backend(device, row.threads, row.precision);
  if (!backend) return state.SkipWithError(backend.error().message.c_str());
  Training training(row, **backend, {});
  const double flops = work_through(state, row, training, work);
  using benchmark::Counter;
  state.counters["ceiling"] = Counter(flops / product_ceiling(**backend), Counter::kIsRate);
  state.counters["peak_MiB"] = peak_mebibytes();
}

common::Hparams hparams_of(const Row& row) {
  common::Hparams hparams{};
  hparams.model = row.size.model;
  hparams.inner = kInner;
  hparams.inner.sequences_per_step = row.sequences;
  hparams.codec = kCodec;
  hparams.outer.contributors_max = 1;
  return hparams;
}

void run_card(benchmark::State& state, const Row& row, const std::string& device) {
  const auto found = train::make_backend(device, 0, row.precision);
  if (!found) return state.SkipWithError(found.error().message.c_str());
  const uint64_t memory_bytes = (*found)->memory_bytes();
  const auto plan = train::choose_plan(hparams_of(row), 1, memory_bytes, row.precision);
  if (!plan) return state.SkipWithError(plan.error().message.c_str());
  static const double kRate = matrix_rate(device);
  Training training(row, **found,
                    {.recompute = plan->recompute, .positions_at_once = plan->positions_at_once});
  const double flops = work_through(state, row, training, &Training::step);
  using benchmark::Counter;
  state.counters["ceiling"] = Counter(flops / kRate, Counter::kIsRate);
  state.counters["mfu_989"] = Counter(flops / kDatasheetRate, Counter::kIsRate);
  state.counters["matrix_FLOP/s"] = kRate;
  state.counters["tokens/step"] = static_cast<double>(row.tokens());
  state.counters["positions"] = plan->positions;
  state.counters["recompute"] = plan->recompute ? 1 : 0;
  state.counters["card_GiB"] = static_cast<double>(memory_bytes) / 0x1p30;
  state.counters["plan_GiB"] = static_cast<double>(plan->largest()) / 0x1p30;
  state.counters["peak_MiB"] = peak_mebibytes();
}

void add(const Row& row, const std::string& device) {
  const auto named = [&](const std::string& prefix, Work work) {
    const std::string name = prefix + row.name() + "/threads:" + std::to_string(row.threads);
    benchmark::RegisterBenchmark(name.c_str(), run_cpu, row, device, work)
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime()
        ->UseRealTime();
  };
  named("", &Training::step);
  if (row.T == 256 || row.size.name == kTiny.name) named("losses/", &Training::evaluate);
}

void add_cpu_rows(const std::string& device) {
  const auto add_row = [&](const Size& size, uint32_t T, train::Precision precision,
                           uint32_t threads) {
    add({size, T, precision, threads, static_cast<uint32_t>(kTokens / T)}, device);
  };
  for (const train::Precision precision : {train::Precision::kFp32, train::Precision::kBf16}) {
    for (const uint32_t threads : {1U, 2U}) {
      add_row(kTiny, 128, precision, threads);
      for (const Size& size : {kS15, kM110}) {
        for (const uint32_t T : {256U, 1024U}) add_row(size, T, precision, threads);
      }
    }
  }
}

// Steps of about a second on an H200, a few of them: a row makes its model once.
void add_card_rows(const std::string& device) {
  struct Steps {
    Size size;
    uint32_t sequences;
    int count;
  };
  for (const Steps& steps :
       {Steps{kS15, 256, 10}, Steps{kM110, 128, 8}, Steps{kB1, 64, 6}, Steps{kB8, 32, 3}}) {
    const Row row{steps.size, 2048, train::Precision::kBf16, 0, steps.sequences};
    benchmark::RegisterBenchmark(row.name().c_str(), run_card, row, device)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(steps.count)
        ->MeasureProcessCPUTime()
        ->UseRealTime();
  }
}

// The flag's value, taken out of the arguments; Google Benchmark knows none but its own.
std::string take_device(int& argc, char** argv) {
  constexpr std::string_view kFlag = "--device=";
  for (int i = 1; i < argc; ++i) {
    if (!std::string_view(argv[i]).starts_with(kFlag)) continue;
    const std::string device = argv[i] + kFlag.size();
    std::rotate(argv + i, argv + i + 1, argv + argc);
    --argc;
    return device;
  }
  return "cpu";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string device = take_device(argc, argv);
  if (device.starts_with("cuda")) {
    add_card_rows(device);
  } else {
    add_cpu_rows(device);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
