// What the codec costs: parameters/s and bytes/s of fp32 that go in, or values/s that come out, on
// fresh data.
//
// The tiles hold 16 M Gaussian values, whose deviation changes from row to row as a trained
// network's does; on one tile repeated the branch predictor would learn it by heart. Each is run
// with each instruction set, on one thread and on two. `memcpy` copies the same bytes in the same
// run: what memory allows. Of it 8 bytes a parameter are moved, by `encode` (error feedback, top-k,
// quantiser, packing, residual) 12.
#include <benchmark/benchmark.h>
#include <hwy/targets.h>

#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/philox.h"
#include "compress/body_sum.h"
#include "compress/error_feedback.h"
#include "compress/sparseloco.h"

namespace {

using benchmark::Counter;
using compress::Bytes;

constexpr uint32_t kSide = 4096;
constexpr uint64_t kParameters = uint64_t{kSide} * kSide;

std::vector<float> gaussian(uint64_t seed) {
  common::Philox random(seed);
  std::vector<float> all(kParameters);
  for (uint64_t i = 0; i < kParameters; ++i) {
    const double deviation = 1e-3 * (1 + static_cast<double>(i / kSide % 7));
    all[i] = static_cast<float>(deviation * random.normal());
  }
  return all;
}

const std::vector<float>& values() {
  static const std::vector<float> kept = gaussian(1);
  return kept;
}

const compress::Layout& layout() {
  static const compress::Layout kept({{.name = "matrix", .rows = kSide, .cols = kSide}}, 4096, 64);
  return kept;
}

// One miner's body: the same values, begun elsewhere, so that no two choose the same places.
Bytes body_of(size_t miner) {
  std::vector<float> rotated(values().size());
  const auto at = static_cast<std::ptrdiff_t>(miner * 1'234'567 % kParameters);
  std::copy(values().begin() + at, values().end(), rotated.begin());
  std::copy(values().begin(), values().begin() + at,
            rotated.begin() + (values().end() - values().begin() - at));
  return compress::SparseLoco().encode(rotated, layout());
}

const std::vector<Bytes>& bodies() {
  static const std::vector<Bytes> kept = [] {
    std::vector<Bytes> all;
    for (size_t miner = 0; miner < 20; ++miner) all.push_back(body_of(miner));
    return all;
  }();
  return kept;
}

void report(benchmark::State& state) {
  const auto parameters = static_cast<double>(state.iterations()) * kParameters;
  state.counters["parameters/s"] = Counter(parameters, Counter::kIsRate);
  state.counters["bytes/s"] = Counter(parameters * 4, Counter::kIsRate);
}

void report_values(benchmark::State& state, uint64_t bodies_read) {
  report(state);
  const auto count =
      static_cast<double>(state.iterations()) * static_cast<double>(layout().kept_count());
  state.counters["values/s"] = Counter(count * static_cast<double>(bodies_read), Counter::kIsRate);
}

void copy(benchmark::State& state, uint32_t threads) {
  std::vector<float> to(values().size());
  for (auto _ : state) {
    const uint64_t part = kParameters / threads;
    std::vector<std::jthread> others;
    for (uint32_t i = 1; i < threads; ++i) {
      others.emplace_back(
          [&, i] { std::memcpy(&to[i * part], &values()[i * part], part * sizeof(float)); });
    }
    std::memcpy(to.data(), values().data(), part * sizeof(float));
    others.clear();
    benchmark::ClobberMemory();
  }
  report(state);
}

// One window of error feedback. What is left of e is as random as what is added to it.
void encode(benchmark::State& state, uint32_t threads) {
  const compress::SparseLoco codec(threads);
  compress::ErrorFeedback feedback(kParameters, 0.95);
  uint64_t bytes = 0;
  for (auto _ : state) bytes = feedback.encode(codec, values(), layout()).size();
  report(state);
  state.counters["bits_per_value"] =
      8.0 * static_cast<double>(bytes) / static_cast<double>(layout().kept_count());
}

void decode(benchmark::State& state, uint32_t threads) {
  const compress::SparseLoco codec(threads);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec.decode(bodies()[next++ % bodies().size()], layout()));
  }
  report_values(state, 1);
}

// Bytes to G, of so many contributors.
void aggregate(benchmark::State& state, uint32_t threads, size_t count) {
  std::vector<compress::CodedContributor> contributors;
  for (size_t miner = 0; miner < count; ++miner) {
    contributors.push_back({.uid = {static_cast<uint16_t>(miner)}, .body = bodies()[miner]});
  }
  const common::OuterParams params{.learning_rate = 1,
                                   .divide = "contributors",
                                   .rule = "average",
                                   .norm_floor = 0.5,
                                   .contributors_max = 20};
  // From a cache line on: what is written past the caches is whole lines then.
  constexpr size_t kLine = 64;
  std::vector<float> room(kParameters + kLine / sizeof(float));
  const size_t before = -(reinterpret_cast<uintptr_t>(room.data()) / sizeof(float)) % 16;
  const auto G = std::span(room).subspan(before, kParameters);
  for (auto _ : state) {
    const auto refused = compress::aggregate_bodies(contributors, layout(), params, threads, G);
    if (refused) state.SkipWithError("a body was refused");
    benchmark::ClobberMemory();
  }
  report_values(state, count);
}

using Run = std::function<void(benchmark::State&, uint32_t threads)>;

void add(const std::string& name, int64_t target, const Run& run) {
  for (const uint32_t threads : {1u, 2u}) {
    benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(),
                                 [=](benchmark::State& state) {
                                   hwy::SetSupportedTargetsForTest(target);
                                   run(state, threads);
                                   hwy::SetSupportedTargetsForTest(0);
                                 })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  }
}

struct InstructionSet {
  std::string name;
  int64_t targets;
};

void add_all() {
  add("memcpy", 0, copy);
  const InstructionSet sets[] = {
      {"avx512", HWY_AVX3_DL | HWY_AVX3}, {"avx2", HWY_AVX2}, {"scalar", HWY_SCALAR | HWY_EMU128}};
  for (const InstructionSet& set : sets) {
    const int64_t targets = hwy::SupportedTargets() & set.targets;
    if (targets == 0) continue;
    add("sparseloco/encode/" + set.name, targets, encode);
    add("sparseloco/decode/" + set.name, targets, decode);
    for (const size_t count : {4, 20}) {
      add("sparseloco/aggregate:" + std::to_string(count) + "/" + set.name, targets,
          [count](benchmark::State& state, uint32_t threads) { aggregate(state, threads, count); });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
