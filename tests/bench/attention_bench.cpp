// What attention costs on the CPU: 4,096 positions a call in sequences of T, each one document, in
// fp32 and in bf16 with the fastest kernel that runs here. GFLOP/s counts what causal attention
// needs, 4 * D a pair of query and key forward and 2.5 times that backward: what is computed and
// masked does not count. `heads` is H:K.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "common/philox.h"
#include "train/cpu/attention.h"
#include "train/cpu/pool.h"
#include "train/cpu/tiles.h"

namespace {

using train::AttentionShape;
using train::Bf16;

const train::cpu::TileKernel& fastest() {
  for (const auto& kernel : train::cpu::tile_kernels()) {
    if (kernel.runs_here()) return kernel;
  }
  return train::cpu::tile_kernels().back();
}

// Repeats after 2^16 values, so that a run is not spent on making them.
template <typename Number>
std::vector<Number> random_numbers(common::Philox& random, int size) {
  std::vector<Number> out(static_cast<size_t>(size));
  for (size_t i = 0; i < out.size(); ++i) {
    if (i >= 65536) {
      out[i] = out[i - 65536];
    } else if constexpr (std::is_same_v<Number, Bf16>) {
      out[i] = train::to_bf16(static_cast<float>(random.normal()));
    } else {
      out[i] = static_cast<float>(random.normal());
    }
  }
  return out;
}

template <typename Number>
struct Setup {
  Setup(const AttentionShape& of, int threads)
      : shape(of),
        pool(threads),
        qkv(random_numbers<Number>(random, of.positions() * of.row())),
        out(random_numbers<Number>(random, of.positions() * of.H * of.D)),
        d_out(out),
        d_qkv(qkv),
        lse(static_cast<size_t>(of.positions() * of.H)),
        start(static_cast<size_t>(of.positions())) {
    if constexpr (std::is_same_v<Number, Bf16>) {
      attention = std::make_unique<train::cpu::Attention>(pool, fastest());
    } else {
      attention = std::make_unique<train::cpu::Attention>(pool);
    }
  }

  void forward() { attention->forward(out.data(), lse.data(), qkv.data(), start.data(), shape); }
  void backward() {
    attention->backward(d_qkv.data(), d_out.data(), out.data(), lse.data(), qkv.data(),
                        start.data(), shape);
  }

  common::Philox random{1};
  AttentionShape shape;
  train::cpu::Pool pool;
  std::unique_ptr<train::cpu::Attention> attention;
  std::vector<Number> qkv, out, d_out, d_qkv;
  std::vector<float> lse;
  std::vector<uint32_t> start;  // One document.
};

template <typename Number>
void measure(benchmark::State& state, const AttentionShape& shape, int threads, bool backward) {
  Setup<Number> setup(shape, threads);
  setup.forward();
  for (auto _ : state) backward ? setup.backward() : setup.forward();
  const double pairs = 0.5 * shape.T * (shape.T + 1) * shape.B * shape.H;
  const double flops = 4.0 * shape.D * pairs * (backward ? 2.5 : 1.0);
  state.counters["GFLOP/s"] = benchmark::Counter(
      flops * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

template <typename Number>
void add(const AttentionShape& shape, const std::string& precision) {
  for (const bool backward : {false, true}) {
    for (const int threads : {1, 2}) {
      const std::string name =
          std::string(backward ? "backward" : "forward") + "/T:" + std::to_string(shape.T) +
          "/heads:" + std::to_string(shape.H) + ":" + std::to_string(shape.K) +
          "/D:" + std::to_string(shape.D) + "/" + precision + "/threads:" + std::to_string(threads);
      benchmark::RegisterBenchmark(
          name.c_str(),
          [=](benchmark::State& state) { measure<Number>(state, shape, threads, backward); })
          ->Unit(benchmark::kMillisecond)
          ->MeasureProcessCPUTime()
          ->UseRealTime();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("bf16 kernel", std::string(fastest().name));
  for (const int T : {256, 1024, 4096}) {
    for (const AttentionShape shape :
         {AttentionShape{4096 / T, T, 12, 4, 64}, AttentionShape{4096 / T, T, 6, 2, 48}}) {
      add<float>(shape, "fp32");
      add<Bf16>(shape, "bf16");
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
