// What the codec costs: parameters/s and bytes/s of fp32 that go in, or values/s that come out, on
// fresh data.
//
// The tiles hold 16 M Gaussian values, whose deviation changes from row to row as a trained
// network's does; on one tile repeated the branch predictor would learn it by heart. Each is run
// with each instruction set, on one thread and on two. `memcpy` copies the same bytes in the same
// run: what memory allows. Of it 8 bytes a parameter are moved, by `encode` (error feedback, top-k,
// quantiser, packing, residual) 12. The rows of a card, `cuda/...`, say what they move; where there
// is none they are skipped.
#include <benchmark/benchmark.h>
#include <hwy/targets.h>

#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/check.h"
#include "common/philox.h"
#include "compress/body_sum.h"
#include "compress/cuda_codec.h"
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

// --- on a card ---

// So many times the values, for a card has done with them in the time that it takes to ask.
constexpr uint32_t kCardCopies = 16;

// What a card needs for all rows; made once. Memory: 5 GB of the card's.
struct CardBench {
  compress::Layout layout;
  std::unique_ptr<compress::CudaCodec> codec;
  std::unique_ptr<compress::CudaFloats> first;
  std::unique_ptr<compress::CudaFloats> second;
  std::vector<Bytes> bodies;  // Pieces of the first miners, so many times.
  std::vector<std::unique_ptr<compress::CudaBody>> judged;
  std::vector<compress::BodySums> sums;

  explicit CardBench(compress::Layout of) : layout(std::move(of)) {}
};

template <typename T>
T must(common::Result<T> result) {
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  } else {
    CHECK(result.has_value());
  }
}

compress::Layout card_layout() {
  std::vector<compress::Tensor> tensors(kCardCopies,
                                        {.name = "matrix", .rows = kSide, .cols = kSide});
  return {std::move(tensors), 4096, 64};
}

// One miner's body on the card: what it has of the one matrix, for each.
void judge_on_card(CardBench& card, size_t miner) {
  const auto format = compress::SparseLoco().format(layout());
  const compress::PieceTable table = *compress::find_pieces(bodies()[miner], *format);
  std::vector<uint32_t> sizes;
  Bytes pieces;
  for (uint32_t copy = 0; copy < kCardCopies; ++copy) {
    for (size_t i = 0; i < format->pieces().size(); ++i) {
      sizes.push_back(static_cast<uint32_t>(table.size(i)));
    }
    pieces.insert(pieces.end(), bodies()[miner].begin(),
                  bodies()[miner].end() - static_cast<std::ptrdiff_t>(format->table_size()));
  }
  auto body = *must(card.codec->judge(pieces, sizes));
  card.sums.push_back(compress::sum_up(body->sums(), *compress::SparseLoco().format(card.layout)));
  card.judged.push_back(std::move(body));
  card.bodies.push_back(std::move(pieces));
}

// Null, and why, where there is no card.
CardBench* card_bench(std::string& why) {
  static std::unique_ptr<CardBench> kept;
  static std::string reason;
  if (!kept && reason.empty()) {
    auto made = std::make_unique<CardBench>(card_layout());
    const auto format = compress::SparseLoco().format(made->layout);
    auto codec = compress::make_cuda_codec(0, made->layout, compress::all_pieces(*format));
    if (codec) {
      made->codec = *std::move(codec);
      std::vector<float> many;
      for (uint32_t i = 0; i < kCardCopies; ++i) {
        many.insert(many.end(), values().begin(), values().end());
      }
      made->first = must(made->codec->floats(many.size()));
      made->second = must(made->codec->floats(many.size()));
      must(made->first->set(many));
      must(made->second->set(many));
      for (size_t miner = 0; miner < bodies().size(); ++miner) judge_on_card(*made, miner);
      kept = std::move(made);
    } else {
      reason = codec.error().message;
    }
  }
  why = reason;
  return kept.get();
}

void report_card(benchmark::State& state, double bytes_moved) {
  const double parameters = static_cast<double>(state.iterations()) * kParameters * kCardCopies;
  state.counters["parameters/s"] = Counter(parameters, Counter::kIsRate);
  state.counters["bytes_moved/s"] = Counter(parameters * bytes_moved, Counter::kIsRate);
}

std::vector<compress::CudaContributor> on_card(const CardBench& card, size_t count) {
  std::vector<compress::CudaContributor> contributors;
  for (size_t miner = 0; miner < count; ++miner) {
    contributors.push_back({.uid = {static_cast<uint16_t>(miner)},
                            .body = card.judged[miner].get(),
                            .sums = &card.sums[miner]});
  }
  return contributors;
}

using CardRun = std::function<void(CardBench&)>;

// `bytes_moved` each parameter (compress/cuda_codec.h).
void add_card_row(const std::string& name, double bytes_moved, const CardRun& run) {
  benchmark::RegisterBenchmark(("cuda/" + name).c_str(),
                               [=](benchmark::State& state) {
                                 std::string why;
                                 CardBench* const card = card_bench(why);
                                 if (card == nullptr) return state.SkipWithError(why.c_str());
                                 for (auto _ : state) run(*card);
                                 report_card(state, bytes_moved);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void add_card_rows() {
  add_card_row("memcpy", 8, [](CardBench& card) { must(card.second->copy(*card.first)); });
  add_card_row("sparseloco/encode", 12, [](CardBench& card) {
    must(card.codec->feedback(card.first->data(), 0.95f, card.second->data()));
  });
  for (const size_t count : {4, 20}) {
    const common::OuterParams params{.learning_rate = 1,
                                     .divide = "contributors",
                                     .rule = "average",
                                     .norm_floor = 0.5,
                                     .contributors_max = 20};
    const std::string name = std::to_string(count);
    const double of_bodies = 0.023 * static_cast<double>(count);
    add_card_row("sparseloco/aggregate:" + name, 4 + of_bodies, [=](CardBench& card) {
      must(card.codec->aggregate(on_card(card, count), params, card.first->data()));
    });
    add_card_row("sparseloco/outer_step:" + name, 8 + of_bodies, [=](CardBench& card) {
      must(card.codec->outer_step(on_card(card, count), params, 0.5f, card.first->data()));
    });
  }
  add_card_row("sparseloco/put_on_and_take_off", 2.1, [](CardBench& card) {
    const std::vector<float> scale(kCardCopies, 0.5f);
    must(
        card.codec->take_off(must(card.codec->put_on(*card.judged[0], scale, card.first->data()))));
  });
  // With the way from the host.
  add_card_row("sparseloco/judge", 0.02, [](CardBench& card) {
    const auto format = compress::SparseLoco().format(card.layout);
    std::vector<uint32_t> sizes;
    const auto one = compress::SparseLoco().format(layout());
    const compress::PieceTable table = *compress::find_pieces(bodies()[0], *one);
    for (size_t i = 0; i < format->pieces().size(); ++i) {
      sizes.push_back(static_cast<uint32_t>(table.size(i % one->pieces().size())));
    }
    benchmark::DoNotOptimize(must(card.codec->judge(card.bodies[0], sizes)));
  });
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
  add_card_rows();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
