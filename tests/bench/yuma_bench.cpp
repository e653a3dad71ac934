// What an epoch costs: ms for 256 neurons of which 64 validate, every validator with a weight and a
// bond on all. Each turn takes another of 16 subnets: on one subnet repeated, the branch predictor
// learns the medians.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "chain/embedded/yuma.h"

namespace {

constexpr size_t kNeurons = 256;
constexpr size_t kValidators = 64;
constexpr size_t kSubnets = 16;

chain::EpochInput any_subnet(uint64_t seed, bool yuma3) {
  std::mt19937_64 random(seed);
  chain::EpochInput input;
  input.block = {1000};
  input.emission_rao = 1'000'000'000;
  input.params.yuma3 = yuma3;
  input.params.liquid_alpha = yuma3;
  input.params.bonds_penalty =
      32'768;  // The dearest: between the two ends that need no arithmetic.
  for (size_t i = 0; i < kNeurons; ++i) {
    chain::EpochNeuron neuron;
    neuron.validator_permit = i < kValidators;
    neuron.last_update = {999};
    if (i < kValidators) neuron.alpha_rao = 1'000'000'000 + (random() >> 24);
    for (uint16_t j = 0; i < kValidators && j < kNeurons; ++j) {
      neuron.weights.push_back({common::Uid{j}, static_cast<uint16_t>(random())});
      neuron.bonds.push_back({common::Uid{j}, static_cast<uint16_t>(random())});
    }
    input.neurons.push_back(neuron);
  }
  return input;
}

void BM_Epoch(benchmark::State& state) {
  std::vector<chain::EpochInput> subnets;
  for (uint64_t seed = 0; seed < kSubnets; ++seed) {
    subnets.push_back(any_subnet(seed, state.range(0) == 3));
  }
  size_t turn = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(chain::run_epoch(subnets[turn++ % kSubnets]));
  }
}
BENCHMARK(BM_Epoch)->ArgName("yuma")->Arg(2)->Arg(3)->Unit(benchmark::kMillisecond);

}  // namespace
