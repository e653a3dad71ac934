// Goal: an epoch gives what Bittensor's own runtime gives.
// Method: 60 epochs of the real runtime, bit for bit (data/epoch.json); the numbers that the
// pallet's own tests state; the places where runtime specs 293 and 425 differ; and promises that
// hold for any input, on seeded ones.
#include "chain/embedded/yuma.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "chain/vectors.h"
#include "common/files.h"

namespace chain {
namespace {

using Row = std::vector<Weight>;

std::string epoch_file() {
  const auto bytes = common::read_file(
      std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/epoch.json", kVectorFileSizeMax);
  return std::string(common::text_of(bytes.value()));
}

// A subnet at block 10 of which nobody has registered since block 0; tempo 1, so that bonds stand.
EpochInput subnet(const std::vector<uint64_t>& stakes, size_t validators) {
  EpochInput input;
  input.block = {10};
  input.emission_rao = 1'000'000'000;
  input.params.tempo = 1;
  for (size_t i = 0; i < stakes.size(); ++i) {
    EpochNeuron neuron;
    neuron.alpha_rao = stakes[i];
    neuron.validator_permit = i < validators;
    neuron.last_update = {5};
    input.neurons.push_back(neuron);
  }
  return input;
}

Weight to(size_t uid, int value = 65'535) {
  return {common::Uid{static_cast<uint16_t>(uid)}, static_cast<uint16_t>(value)};
}

// What the chain does between epochs: permits and bonds of the last are the next one's.
EpochOutput advance(EpochInput& input) {
  EpochOutput output = run_epoch(input);
  for (size_t i = 0; i < input.neurons.size(); ++i) {
    input.neurons[i].validator_permit = output.neurons[i].validator_permit;
    input.neurons[i].bonds = output.neurons[i].bonds;
  }
  return output;
}

int bond(const EpochOutput& output, size_t from, size_t on) {
  for (const Weight& entry : output.neurons[from].bonds) {
    if (entry.uid.index == on) return entry.value;
  }
  return 0;
}

std::vector<int> bonds_on(const EpochOutput& output, size_t on, size_t validators) {
  std::vector<int> out;
  for (size_t i = 0; i < validators; ++i) out.push_back(bond(output, i, on));
  return out;
}

std::vector<uint64_t> emissions(const EpochOutput& output) {
  std::vector<uint64_t> out;
  for (const EpochResult& neuron : output.neurons) out.push_back(neuron.emission_rao);
  return out;
}

// -- The real runtime -----------------------------------------------------------------------------

TEST(YumaVectors, SixtyEpochsOfTheRealRuntimeMatchBitForBit) {
  const auto replay = replay_vectors(VectorKind::kEpoch, epoch_file());
  ASSERT_TRUE(replay) << replay.error().message;
  EXPECT_EQ(replay->cases, 60U);
  EXPECT_EQ(replay->matching, 60U);
  for (const std::string& difference : replay->differences) ADD_FAILURE() << difference;
}

TEST(YumaVectors, AChangedNumberIsNoticedAndNamed) {
  std::string file = epoch_file();
  const std::string was = "500000003";
  file.replace(file.find(was), was.size(), "500000004");
  const auto replay = replay_vectors(VectorKind::kEpoch, file);
  ASSERT_TRUE(replay);
  EXPECT_EQ(replay->matching, 59U);
  ASSERT_EQ(replay->differences.size(), 1U);
  EXPECT_EQ(replay->differences[0],
            "case 0 (2 uids, block 2): emission of uid 0: expected 500000004, got 500000003");
}

TEST(YumaVectors, AnotherFormatIsRefusedRatherThanCompared) {
  for (const std::string file :
       {"", "[]", "{}", "{\"source\":\"spec_version 293\"}",
        "{\"source\":\"spec_version 293\",\"cases\":[{\"in\":{\"n\":5000},\"out\":{}}]}",
        "{\"source\":\"somewhere\",\"cases\":[]}"}) {
    const auto replay = replay_vectors(VectorKind::kEpoch, file);
    ASSERT_FALSE(replay) << file;
    EXPECT_EQ(replay.error().code, common::Code::kInvalidArgument);
  }
  std::string file = epoch_file();
  const std::string was = "\"kappa\":37158";
  const size_t at = file.find("37158");
  ASSERT_NE(at, std::string::npos) << was;
  file.replace(at, 5, "99999");
  EXPECT_FALSE(replay_vectors(VectorKind::kEpoch, file)) << "99999 is no u16";
}

// -- The pallet's own numbers (subtensor, pallets/subtensor/src/tests/epoch.rs)
// ---------------------

TEST(Yuma, OneNeuronThatWeighsItselfEarnsOnlyByStake) {
  EpochInput input = subnet({1'000'000'000}, 1);
  input.neurons[0].weights = {to(0)};
  const EpochResult got = run_epoch(input).neurons[0];
  EXPECT_EQ(got.consensus, 0);
  EXPECT_EQ(got.incentive, 0);
  EXPECT_EQ(got.dividends, 0);
  EXPECT_EQ(got.emission_rao, 1'000'000'000U);
}

TEST(Yuma, TenNeuronsThatWeighThemselvesHaveNoIncentive) {
  EpochInput input = subnet(std::vector<uint64_t>(10, 1'000'000'000), 10);
  for (size_t i = 0; i < 10; ++i) input.neurons[i].weights = {to(i)};
  for (const EpochResult& got : run_epoch(input).neurons) {
    EXPECT_EQ(got.incentive, 0);
    EXPECT_EQ(got.dividends, 0);
    EXPECT_EQ(got.emission_rao, 99'999'999U);  // A tenth, rounded down.
  }
}

TEST(Yuma, SixtyFourEqualValidatorsDivideEquallyAmong448Servers) {
  std::vector<uint64_t> stakes(512);
  std::fill_n(stakes.begin(), 64, 1);
  EpochInput input = subnet(stakes, 64);
  for (size_t i = 0; i < 64; ++i) {
    for (size_t j = 64; j < 512; ++j) input.neurons[i].weights.push_back(to(j));
  }
  const EpochOutput got = run_epoch(input);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(got.neurons[i].dividends, 1023);
    EXPECT_EQ(got.neurons[i].emission_rao, 7'812'500U);
    EXPECT_EQ(bond(got, i, 64), 65'535);
    EXPECT_EQ(bond(got, i, 511), 65'535);
  }
  for (size_t j = 64; j < 512; ++j) {
    EXPECT_EQ(got.neurons[j].consensus, 146);
    EXPECT_EQ(got.neurons[j].incentive, 146);
    EXPECT_EQ(got.neurons[j].emission_rao, 1'116'071U);
  }
}

TEST(Yuma2, BondsFollowTheWeightsOfFourValidators) {
  EpochInput input = subnet({1, 2, 3, 4, 0, 0, 0, 0}, 4);
  input.params.max_allowed_validators = 4;
  for (size_t i = 0; i < 4; ++i) {
    input.neurons[i].weights = {to(4, 16'383), to(5, 32'767), to(6, 49'149), to(7, 65'535)};
  }
  EpochOutput got = advance(input);
  EXPECT_EQ(bonds_on(got, 4, 4), (std::vector{16'383, 32'767, 49'151, 65'535}));
  EXPECT_EQ(emissions(got),
            (std::vector<uint64_t>{49'999'998, 99'999'999, 150'000'000, 200'000'001, 49'998'779,
                                   100'000'610, 149'996'337, 200'004'272}));
  input.neurons[0].weights = {to(0)};
  got = advance(input);
  EXPECT_EQ(bonds_on(got, 4, 4), (std::vector{14'582, 32'767, 49'151, 65'535}));
  EXPECT_EQ(emissions(got)[0], 44'998'351U);
  EXPECT_EQ(emissions(got)[1], 101'110'561U);
  EXPECT_EQ(emissions(got)[2], 151'667'215U);
  EXPECT_EQ(emissions(got)[3], 202'223'870U);
  input.neurons[1].weights = {to(1)};
  got = advance(input);
  EXPECT_EQ(bonds_on(got, 4, 4), (std::vector{12'603, 28'321, 49'151, 65'535}));
  input.neurons[2].weights = {to(2)};  // Now no majority judges anybody: stake alone earns.
  got = advance(input);
  EXPECT_EQ(bonds_on(got, 7, 4), (std::vector{12'602, 28'320, 49'150, 65'535}));
  EXPECT_EQ(got.neurons[7].consensus, 0);
  EXPECT_EQ(emissions(got)[3], 399'999'999U);
  input.neurons[2].weights = {to(7)};
  got = advance(input);
  EXPECT_EQ(bonds_on(got, 7, 4), (std::vector{10'951, 24'609, 49'150, 65'535}));
  got = advance(input);
  EXPECT_EQ(bonds_on(got, 7, 4), (std::vector{9'559, 21'482, 49'150, 65'535}));
  got = advance(input);
  EXPECT_EQ(bonds_on(got, 7, 4), (std::vector{8'376, 18'824, 49'150, 65'535}));
}

TEST(Yuma2, AnInactiveValidatorsBondsDecay) {
  EpochInput input = subnet({1, 1, 0, 0}, 2);
  for (size_t i = 0; i < 2; ++i) input.neurons[i].weights = {to(2, 32'767), to(3, 32'767)};
  EpochOutput got = advance(input);
  EXPECT_EQ(got.neurons[0].dividends, 32'767);
  EXPECT_EQ(got.neurons[1].dividends, 32'767);
  input.block = {6000};  // Past the cutoff of 5000 blocks.
  input.neurons[0].last_update = {5999};
  got = advance(input);
  EXPECT_FALSE(got.neurons[1].active);
  EXPECT_EQ(got.neurons[0].dividends, 36'044);
  EXPECT_EQ(bond(got, 1, 2), 53'619);
  input.neurons[1].last_update = {5999};
  got = advance(input);
  EXPECT_EQ(got.neurons[0].dividends, 35'716);
  EXPECT_EQ(got.neurons[1].dividends, 29'818);
  EXPECT_EQ(bond(got, 1, 2), 54'712);
}

// Three validators A, B, C (uids 0, 1, 2) and two servers (3, 4).
struct Yuma3Step {
  std::array<size_t, 3> choice;     // Which server each weighs.
  std::array<double, 3> dividends;  // as shares of 1
  std::array<double, 6> bonds;      // A on s1, A on s2, B on s1, ...; negative: not stated
};

EpochInput yuma3_subnet(const std::vector<uint64_t>& stakes) {
  EpochInput input = subnet(stakes, 3);
  input.params.yuma3 = true;
  input.params.liquid_alpha = true;
  input.params.alpha_low = 6'554;    // 0.1
  input.params.alpha_high = 19'661;  // 0.3
  input.params.bonds_moving_average = 975'000;
  input.params.bonds_penalty = 0;
  input.params.max_allowed_validators = 3;
  return input;
}

void play(EpochInput input, const std::vector<Yuma3Step>& steps) {
  constexpr double kTolerance = 1e-3;  // The pallet's own.
  for (size_t epoch = 0; epoch < steps.size(); ++epoch) {
    for (size_t i = 0; i < 3; ++i) {
      // The other server is weighed too, with 0: a bond on what is not weighed at all would vanish.
      const bool first = steps[epoch].choice[i] == 3;
      input.neurons[i].weights = {to(3, first ? 65'535 : 0), to(4, first ? 0 : 65'535)};
    }
    const EpochOutput got = advance(input);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(got.neurons[i].dividends / 65'535.0, steps[epoch].dividends[i], kTolerance)
          << "epoch " << epoch << ", validator " << i;
      for (size_t server = 0; server < 2; ++server) {
        const double expected = steps[epoch].bonds[2 * i + server];
        if (expected < 0) continue;
        EXPECT_NEAR(bond(got, i, 3 + server) / 65'535.0, expected, kTolerance)
            << "epoch " << epoch << ", validator " << i << ", server " << server;
      }
    }
  }
}

constexpr std::array<double, 6> kNotStated = {-1, -1, -1, -1, -1, -1};
constexpr std::array<size_t, 3> kAllFirst = {3, 3, 3};
constexpr std::array<size_t, 3> kAllSecond = {4, 4, 4};

TEST(Yuma3, TheMajorityMovesFirst) {
  play(yuma3_subnet({8, 1, 1, 0, 0}),
       {{kAllFirst, {.8, .1, .1}, {.1013, 0, .1013, 0, .1013, 0}},
        {{4, 3, 3}, {1, 0, 0}, {.0908, .1013, .3697, 0, .3697, 0}},
        {{4, 4, 3}, {.9382, .0618, 0}, {.0815, .1924, .3170, .1013, .5580, 0}},
        {kAllSecond, {.8819, .0773, .0407}, {.0731, .2742, .2765, .1924, .4306, .1013}},
        {kAllSecond, {.8564, .0844, .0592}, {.0656, .3478, .2435, .2742, .3589, .1924}},
        {kAllSecond, {.8418, .0884, .0697}, {.0588, .4139, .2157, .3478, .3089, .2742}}});
}

TEST(Yuma3, TheMajorityMovesSecond) {
  play(yuma3_subnet({8, 1, 1, 0, 0}), {{kAllFirst, {.8, .1, .1}, kNotStated},
                                       {{3, 4, 3}, {.8446, .0498, .1056}, kNotStated},
                                       {{4, 4, 3}, {.6868, .3132, 0}, kNotStated},
                                       {kAllSecond, {.7421, .2090, .0489}, kNotStated},
                                       {kAllSecond, {.7625, .1706, .0669}, kNotStated},
                                       {kAllSecond, {.7730, .1508, .0762}, kNotStated}});
}

TEST(Yuma3, TheMajorityMovesLast) {
  play(yuma3_subnet({8, 1, 1, 0, 0}), {{kAllFirst, {.8, .1, .1}, kNotStated},
                                       {{3, 4, 3}, {.8446, .0498, .1056}, kNotStated},
                                       {{3, 4, 4}, {.8966, .0333, .0701}, kNotStated},
                                       {kAllSecond, {.4663, .3210, .2127}, kNotStated},
                                       {kAllSecond, {.5976, .2340, .1683}, kNotStated},
                                       {kAllSecond, {.6592, .1932, .1475}, kNotStated}});
}

TEST(Yuma3, ASwitchOfOneEpochCostsDividends) {
  play(yuma3_subnet({33, 33, 34, 0, 0}), {{kAllFirst, {.33, .33, .34}, kNotStated},
                                          {kAllFirst, {.33, .33, .34}, kNotStated},
                                          {{3, 3, 4}, {.3782, .3782, .2436}, kNotStated},
                                          {kAllFirst, {.3628, .3628, .2745}, kNotStated},
                                          {kAllFirst, {.3541, .3541, .2917}, kNotStated},
                                          {kAllFirst, {.3487, .3487, .3026}, kNotStated}});
}

TEST(Yuma3, WithLiquidAlphaABondOnWhatIsNoLongerWeighedVanishesAtOnce) {
  EpochInput input = yuma3_subnet({8, 1, 1, 0, 0});
  for (size_t i = 0; i < 3; ++i) input.neurons[i].weights = {to(3)};
  EXPECT_GT(bond(advance(input), 1, 3), 0);
  input.neurons[1].weights = {to(4)};
  EXPECT_EQ(bond(advance(input), 1, 3), 0);
}

TEST(Yuma3, TheSameWithoutLiquidAlpha) {
  EpochInput input = yuma3_subnet({33, 33, 34, 0, 0});
  input.params.liquid_alpha = false;
  play(input, {{kAllFirst, {.33, .33, .34}, {.0250, -1, -1, -1, -1, -1}},
               {kAllFirst, {.33, .33, .34}, {.0494, -1, -1, -1, -1, -1}},
               {{3, 3, 4}, {.3734, .3734, .2532}, {.0731, -1, -1, -1, -1, -1}},
               {kAllFirst, {.3611, .3611, .2779}, {.0963, -1, -1, -1, -1, -1}},
               {kAllFirst, {.3541, .3541, .2919}, {.1189, -1, -1, -1, -1, -1}},
               {kAllFirst, {.3495, .3495, .3009}, {.1409, -1, -1, -1, -1, -1}}});
}

// -- Where the two runtimes differ ----------------------------------------------------------------

TEST(RuntimeSpec, TheOwnerKeepsItsPermitSince425) {
  EpochInput input = subnet({5, 0, 0}, 1);
  input.owner = common::Uid{2};
  input.params.stake_threshold_rao = 1;
  EXPECT_TRUE(run_epoch(input).neurons[2].validator_permit);
  input.spec = RuntimeSpec::k293;
  EXPECT_FALSE(run_epoch(input).neurons[2].validator_permit);
}

TEST(RuntimeSpec, ACommittedWeightDoesNotPassToALaterRegistrationSince425) {
  EpochInput input = subnet({5, 0, 0}, 1);
  input.neurons[0].weights = {to(1), to(2)};
  input.neurons[0].last_update = {9};
  input.neurons[0].oldest_commit = common::BlockNumber{3};
  input.neurons[2].registered_at = {4};
  EXPECT_EQ(run_epoch(input).neurons[2].incentive, 0);
  EXPECT_EQ(run_epoch(input).neurons[1].incentive, 65'535);
  input.spec = RuntimeSpec::k293;
  EXPECT_EQ(run_epoch(input).neurons[2].incentive, 32'767);
}

TEST(RuntimeSpec, BondsOfThoseWithoutPermitAreEmptiedSince425) {
  EpochInput input = subnet({5, 0, 0}, 1);
  input.neurons[1].bonds = {to(2, 7)};
  EXPECT_EQ(run_epoch(input).neurons[1].bonds, Row{});
  input.spec = RuntimeSpec::k293;
  EXPECT_EQ(run_epoch(input).neurons[1].bonds, (Row{to(2, 7)}));
}

TEST(RuntimeSpec, BondsCountFromTheSubnetsOwnLastEpochSince425) {
  EpochInput input = subnet({5, 5, 0}, 2);  // Block 10, tempo 1: an epoch was due at block 9.
  input.neurons[0].bonds = {to(2)};
  input.neurons[0].last_update = {9};
  input.neurons[1].weights = {to(2)};
  input.neurons[1].last_update = {9};
  input.neurons[2].registered_at = {6};
  input.last_epoch = {5};  // But it ran at 5, before uid 2 changed hands.
  EXPECT_EQ(bond(run_epoch(input), 0, 2), 0);
  input.last_epoch = {6};
  EXPECT_GT(bond(run_epoch(input), 0, 2), 0);
  input.last_epoch = {5};
  input.spec = RuntimeSpec::k293;
  EXPECT_GT(bond(run_epoch(input), 0, 2), 0);
}

// -- The edges ------------------------------------------------------------------------------------

TEST(Yuma, NoNeuronsAreNoTrouble) { EXPECT_TRUE(run_epoch({}).neurons.empty()); }

TEST(Yuma, WithoutAnyStakeNobodyEarns) {
  EpochInput input = subnet({0, 0}, 2);
  input.neurons[0].weights = {to(1)};
  EXPECT_EQ(emissions(run_epoch(input)), (std::vector<uint64_t>{0, 0}));
}

TEST(Yuma, EqualStakesAtTheEdgeOfThePermitsGoToTheHigherUid) {
  EpochInput input = subnet({5, 5, 5}, 3);
  input.params.max_allowed_validators = 2;
  const EpochOutput got = run_epoch(input);
  EXPECT_FALSE(got.neurons[0].validator_permit);
  EXPECT_TRUE(got.neurons[1].validator_permit);
  EXPECT_TRUE(got.neurons[2].validator_permit);
}

TEST(Yuma, AMinorityMovesNothing) {
  EpochInput input = subnet({6, 4, 0, 0}, 2);
  input.neurons[0].weights = {to(2)};
  input.neurons[1].weights = {to(3)};
  const EpochOutput got = run_epoch(input);
  EXPECT_EQ(got.neurons[2].incentive, 65'535);
  EXPECT_EQ(got.neurons[3].incentive, 0);
  EXPECT_EQ(got.neurons[1].validator_trust, 0);
  EXPECT_EQ(got.neurons[1].dividends, 0);
}

TEST(YumaDeathTest, AWeightOnNobodyIsABug) {
  EpochInput input = subnet({5}, 1);
  input.neurons[0].weights = {to(1)};
  EXPECT_DEATH(run_epoch(input), "CHECK failed");
}

TEST(MaxUpscale, TheLargestBecomes65535AndHalvesGoUp) {
  EXPECT_EQ(max_upscale({0, 1, 2}), (std::vector<uint16_t>{0, 32'768, 65'535}));
  EXPECT_EQ(max_upscale({1, 65'535}), (std::vector<uint16_t>{1, 65'535}));
  // Above 32,768 the ratio is rounded before it is multiplied; 40,000 * (65,535 / 40,000) still is
  // 65,535.
  EXPECT_EQ(max_upscale({40'000, 20'000}), (std::vector<uint16_t>{65'535, 32'767}));
  EXPECT_EQ(max_upscale({0, 0}), (std::vector<uint16_t>{0, 0}));
  EXPECT_TRUE(max_upscale({}).empty());
}

// -- What holds for any input ---------------------------------------------------------------------

EpochInput any_subnet(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](uint64_t limit) { return random() % limit; };
  EpochInput input;
  const size_t n = 2 + below(24);
  input.spec = below(2) == 0 ? RuntimeSpec::k293 : RuntimeSpec::k425;
  input.block = {1000};
  input.last_epoch = {below(1000)};
  input.emission_rao = random() >> (1 + below(60));
  input.params.tempo = static_cast<uint16_t>(1 + below(400));
  input.params.kappa = static_cast<uint16_t>(random());
  input.params.bonds_moving_average = below(1'000'001);
  input.params.bonds_penalty = static_cast<uint16_t>(random());
  input.params.yuma3 = below(2) == 0;
  input.params.liquid_alpha = below(2) == 0;
  input.params.max_allowed_validators = static_cast<uint16_t>(1 + below(n));
  for (size_t i = 0; i < n; ++i) {
    EpochNeuron neuron;
    // All different even as shares of 2^-32: no ties.
    neuron.alpha_rao = (1'000'000 + below(1'000'000)) * n + i;
    neuron.validator_permit = below(3) != 0;
    neuron.last_update = {below(1001)};
    neuron.registered_at = {below(3) == 0 ? below(1000) : 0};
    for (size_t j = 0; j < n; ++j) {
      if (below(2) == 0) neuron.weights.push_back(to(j, static_cast<uint16_t>(random())));
      if (below(2) == 0) neuron.bonds.push_back(to(j, static_cast<uint16_t>(random())));
    }
    input.neurons.push_back(neuron);
  }
  return input;
}

TEST(YumaProperties, NoMoreIsGivenThanThereIsAndHardlyLess) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const EpochInput input = any_subnet(seed);
    const EpochOutput got = run_epoch(input);
    const std::vector<uint64_t> given = emissions(got);
    const uint64_t total = std::accumulate(given.begin(), given.end(), uint64_t{0});
    EXPECT_LE(total, input.emission_rao) << "seed " << seed;
    // Each share is short by less than 2^-31, and each product by less than 1.
    const double n = static_cast<double>(given.size());
    const double lost = n * (1 + std::ldexp(static_cast<double>(input.emission_rao), -31));
    EXPECT_GE(static_cast<double>(total), static_cast<double>(input.emission_rao) - lost);
    for (const EpochResult& neuron : got.neurons) {
      EXPECT_LE(neuron.server_rao + neuron.validator_rao, neuron.emission_rao + 2) << seed;
    }
  }
}

// `order[i]` is the new uid of neuron i.
EpochInput renumbered(const EpochInput& input, const std::vector<size_t>& order) {
  EpochInput out = input;
  const auto rename = [&](Row& row) {
    for (Weight& entry : row) entry.uid.index = static_cast<uint16_t>(order[entry.uid.index]);
    std::sort(row.begin(), row.end());
  };
  for (size_t i = 0; i < order.size(); ++i) {
    out.neurons[order[i]] = input.neurons[i];
    rename(out.neurons[order[i]].weights);
    rename(out.neurons[order[i]].bonds);
  }
  return out;
}

TEST(YumaProperties, RenumberingTheUidsRenumbersTheResult) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    EpochInput input = any_subnet(seed);
    std::vector<size_t> order(input.neurons.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::mt19937_64 random(seed);
    std::shuffle(order.begin(), order.end(), random);
    const EpochOutput plain = run_epoch(input);
    const EpochOutput moved = run_epoch(renumbered(input, order));
    for (size_t i = 0; i < order.size(); ++i) {
      EpochResult expected = plain.neurons[i];
      for (Weight& entry : expected.bonds) {
        entry.uid.index = static_cast<uint16_t>(order[entry.uid.index]);
      }
      std::sort(expected.bonds.begin(), expected.bonds.end());
      EXPECT_EQ(moved.neurons[order[i]], expected) << "seed " << seed << ", uid " << i;
    }
  }
}

}  // namespace
}  // namespace chain
