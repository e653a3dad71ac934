// Goal: whatever is lost, late, torn, corrupted or repeated, whoever is killed at whatever step:
// honest replicas stay
//   equal bit for bit, no score stands without its evidence, weights sum to one, nothing
//   acknowledged is lost, and the network moves again when the faults stop.
// Method: the real Worker, Validator and ledger state under a clock turned by hand; a seed is a
// whole history. More
//   seeds by hand: bin/muster-sim --first 1000 --seeds 5000
#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace sim {
namespace {

void expect_kept(const Scenario& scenario, const Outcome& outcome) {
  for (const std::string& sentence : outcome.broken) {
    ADD_FAILURE() << "seed " << scenario.seed << ": " << sentence;
  }
}

TEST(Simulation, WithoutFaultsEveryWindowMovesEveryNode) {
  const Scenario scenario{.seed = 0};
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  // Window 0 passes while nodes register.
  EXPECT_GE(outcome.windows_moved, scenario.windows - 1);
  EXPECT_EQ(outcome.kills, 0U);
}

TEST(Simulation, TheSameSeedIsTheSameHistory) {
  Scenario scenario = scenario_of(7);
  EXPECT_EQ(run(scenario).history, run(scenario).history);
}

TEST(Simulation, TheSecondValidatorLeadsWhenTheLeadIsKilled) {
  const Scenario scenario{.seed = 1, .lead_dies = true};
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  EXPECT_GE(outcome.windows_moved, scenario.windows - 2);
}

TEST(Simulation, NodesThatAreKilledAllTheTimeLoseNothing) {
  const Scenario scenario{.seed = 2, .kills = 0.8};
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  EXPECT_GT(outcome.kills, 5U);
}

class Seeds : public testing::TestWithParam<int> {};

// Ten seeds a case, so that the cases share the machine's cores.
TEST_P(Seeds, KeepEveryPromise) {
  for (int i = 0; i < 10; ++i) {
    const Scenario scenario = scenario_of(static_cast<uint64_t>(GetParam() * 10 + i));
    expect_kept(scenario, run(scenario));
  }
}
INSTANTIATE_TEST_SUITE_P(First60, Seeds, testing::Range(10, 16));

}  // namespace
}  // namespace sim
