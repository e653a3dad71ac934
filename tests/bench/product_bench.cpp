// What the products of a training step cost, by the kernels that run here and, in fp32, by OpenBLAS
// in the same process: forward/NxOxC/kernel/threads:T, and likewise backward_input (d_x) and
// backward_weight. Shapes are those of two models at N positions: 288 wide, and 768 wide.
//
//   GFLOP/s        of the wall clock, all threads together
//   GFLOP/s/core   of the threads' own time: what one does, whatever else runs on the machine
//   of_peak        the latter, as a share of the kernel's instruction on registers alone, measured
//                  at the start of the run (of fp32 multiply-adds for portable and OpenBLAS)
//
// Packing activations counts; weights, packed once a step, have rows of their own (GB/s of fp32).
// OpenBLAS chooses its kernels by OPENBLAS_CORETYPE where that is set: compare without it, too.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "common/philox.h"
#include "tests/bench/register_peak.h"
#include "train/cpu/gemm.h"
#include "train/cpu/linear.h"
#include "train/cpu/processor.h"

namespace {

using train::Bf16;
using train::cpu::Linear;
using train::cpu::Pool;
using train::cpu::TileKernel;

struct Shape {
  int N, O, C;
  double flops() const { return 2.0 * N * O * C; }
  std::string name() const {
    return std::to_string(N) + "x" + std::to_string(O) + "x" + std::to_string(C);
  }
};

enum class Which { kForward, kBackwardInput, kBackwardWeight, kPackWeight };
const std::map<Which, std::string> kNames = {{Which::kForward, "forward"},
                                             {Which::kBackwardInput, "backward_input"},
                                             {Which::kBackwardWeight, "backward_weight"},
                                             {Which::kPackWeight, "pack_weight"}};

float as(float value, float) { return value; }
Bf16 as(float value, Bf16) { return train::to_bf16(value); }

// Repeats after 2^16 values, so that a run is not spent on making them.
template <typename Value>
std::vector<Value> random_values(int rows, int columns) {
  common::Philox random{static_cast<uint64_t>(rows + columns)};
  std::vector<Value> out(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = i < 65536 ? as(static_cast<float>(random.normal()), Value()) : out[i - 65536];
  }
  return out;
}

// The values of a layer, of which any may be written.
template <typename Value>
struct Layer {
  explicit Layer(const Shape& shape)
      : x(random_values<Value>(shape.N, shape.C)),
        out(random_values<Value>(shape.N, shape.O)),
        weight(random_values<float>(shape.O, shape.C)) {}
  std::vector<Value> x;
  std::vector<Value> out;
  std::vector<float> weight;
};

class ByTiles {
 public:
  ByTiles(const TileKernel& kernel, const Shape& shape, int threads)
      : shape_(shape), layer_(shape), pool_(threads), linear_(pool_, kernel) {
    packed_.resize(Linear::packed_weight_size(shape.O, shape.C) / sizeof(Line) + 1);
    run(Which::kPackWeight);
  }

  void run(Which which) {
    const auto& [N, O, C] = shape_;
    Bf16* const x = layer_.x.data();
    Bf16* const out = layer_.out.data();
    switch (which) {
      case Which::kForward:
        return linear_.forward(out, nullptr, x, packed_.data(), N, C, O);
      case Which::kBackwardInput:
        return linear_.backward_input(x, out, packed_.data(), N, C, O);
      case Which::kBackwardWeight:
        return linear_.backward_weight(layer_.weight.data(), out, x, N, C, O);
      case Which::kPackWeight:
        return linear_.pack_weight(packed_.data(), layer_.weight.data(), O, C);
    }
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  Shape shape_;
  Layer<Bf16> layer_;
  Pool pool_;
  Linear linear_;
  std::vector<Line> packed_;
};

// Eight pieces for the threads to share, as long as they are worth it.
class ByOpenblas {
 public:
  ByOpenblas(const Shape& shape, int threads) : shape_(shape), layer_(shape), pool_(threads) {}

  void run(Which which) {
    const auto& [N, O, C] = shape_;
    float* const x = layer_.x.data();
    float* const out = layer_.out.data();
    float* const weight = layer_.weight.data();
    const int rows = which == Which::kBackwardWeight ? O : N;
    const int pieces = pool_.threads() == 1 ? 1 : 8;
    pool_.each(pieces, [&, n = N, o = O, c = C](int piece, int) {
      const int first = rows / pieces * piece;
      const int count = piece == pieces - 1 ? rows - first : rows / pieces;
      float* const outs = out + static_cast<ptrdiff_t>(first) * o;
      float* const xs = x + static_cast<ptrdiff_t>(first) * c;
      if (which == Which::kForward) {
        train::cpu::gemm(outs, o, {xs, c}, {weight, c, true}, count, o, c);
      } else if (which == Which::kBackwardInput) {
        train::cpu::gemm(xs, c, {outs, o}, {weight, c}, count, c, o);
      } else {
        train::cpu::gemm(weight + static_cast<ptrdiff_t>(first) * c, c, {out + first, o, true},
                         {x, c}, count, c, n, 1.0F, 1.0F);
      }
    });
  }

 private:
  Shape shape_;
  Layer<float> layer_;
  Pool pool_;
};

double process_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
}

template <typename Products>
void measure(benchmark::State& state, Which which, const Shape& shape, double peak,
             Products& products) {
  products.run(which);
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const double start = process_seconds();
    products.run(which);
    best = std::min(best, process_seconds() - start);
  }
  const auto runs = static_cast<double>(state.iterations());
  const auto rate = benchmark::Counter::kIsRate;
  if (which == Which::kPackWeight) {
    state.counters["GB/s"] = {4e-9 * shape.O * shape.C * runs, rate};
  } else {
    state.counters["GFLOP/s"] = {1e-9 * shape.flops() * runs, rate};
    state.counters["GFLOP/s/core"] = 1e-9 * shape.flops() / best;
    state.counters["of_peak"] = 1e-9 * shape.flops() / best / peak;
  }
}

// One row of the table; what it multiplies is made when its turn comes.
template <typename Make>
void add(Which which, const Shape& shape, std::string_view by, double peak, int threads,
         const Make& make) {
  const std::string name = kNames.at(which) + "/" + shape.name() + "/" + std::string(by) +
                           "/threads:" + std::to_string(threads);
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 auto products = make();
                                 measure(state, which, shape, peak, products);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void add_all(const Shape& shape, const std::map<std::string_view, double>& peaks) {
  for (const auto& [which, name] : kNames) {
    for (const int threads : {1, 2}) {
      for (const TileKernel& kernel : train::cpu::tile_kernels()) {
        if (!kernel.runs_here()) continue;
        add(which, shape, kernel.name, peaks.at(kernel.name), threads,
            [&kernel, shape, threads] { return ByTiles(kernel, shape, threads); });
      }
      if (which == Which::kPackWeight) continue;
      add(which, shape, train::cpu::kOpenblas, peaks.at("portable"), threads,
          [shape, threads] { return ByOpenblas(shape, threads); });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  char short_runs[] = "--benchmark_min_time=0.1";  // There are many; what is said later counts.
  arguments.insert(arguments.begin() + 1, short_runs);
  argc = static_cast<int>(arguments.size());
  argv = arguments.data();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const double start = process_seconds();
  benchmark::AddCustomContext("processor", train::cpu::processor().describe());
  benchmark::AddCustomContext("probe_ms", std::to_string(1e3 * (process_seconds() - start)));
  std::map<std::string_view, double> peaks;
  for (const TileKernel& kernel : train::cpu::tile_kernels()) {
    if (!kernel.runs_here()) continue;
    peaks[kernel.name] = bench::register_peak(kernel);
    benchmark::AddCustomContext("register_peak/" + std::string(kernel.name),
                                std::to_string(peaks[kernel.name]) + " GFLOP/s");
  }
  for (const int N : {4096, 1024}) {
    for (const auto& [O, C] : {std::pair{1280, 768},
                               {768, 768},
                               {4096, 768},
                               {768, 2048},
                               {480, 288},
                               {288, 288},
                               {1536, 288},
                               {288, 768}}) {
      add_all({N, O, C}, peaks);
    }
  }
  // Logits are made in chunks of positions.
  add_all({1024, 32000, 768}, peaks);
  add_all({1024, 32000, 288}, peaks);
  benchmark::RunSpecifiedBenchmarks();
}
