// Goal: whatever is lost, late, torn, corrupted or repeated, whoever is killed at whatever step:
// honest replicas stay
//   equal bit for bit, no score stands without its evidence, weights sum to one, nothing
//   acknowledged is lost, and the network moves again when the faults stop.
// Method: the real Worker, Validator and ledger state under a clock turned by hand; a seed is a
// whole history. More
//   seeds by hand: bin/muster-sim --first 1000 --seeds 5000
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/small_data.h"
#include "tests/sim/world.h"

namespace sim {
namespace {

void expect_kept(const Scenario& scenario, const Outcome& outcome) {
  for (const std::string& sentence : outcome.broken) {
    ADD_FAILURE() << "seed " << scenario.seed << ": " << sentence;
  }
}

uint64_t main_sample_count() {
  const tests::TempFolder folder;
  return make_small_data(folder.path()).training_sets.of({0}).sample_count();
}

TEST(Simulation, WithoutFaultsEveryWindowMovesEveryNode) {
  const Scenario scenario{.seed = 0};
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  // Window 0 passes while nodes register.
  EXPECT_GE(outcome.windows_moved, scenario.windows - 1);
  EXPECT_EQ(outcome.kills, 0U);
}

TEST(Simulation, ANetworkThatBeginsWithAGivenModelMovesAndSurvivesKills) {
  const Scenario scenario{.seed = 3, .kills = 0.5, .given_model = true};
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  EXPECT_GE(outcome.windows_moved, 3U);  // Without the model no node would have a state at all.
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

// The second set is ten times as large as the first: from the annealing's first window on samples
// beyond the first one's end are trained on and judged, before it none, and the replicas stay
// equal. Of twelve own samples a window, and sixteen control ones in four windows, chance puts none
// beyond it in one run of 10^12.
TEST(Simulation, TheAnnealTrainsAndIsJudgedOnItsOwnData) {
  const Scenario scenario{.seed = 3, .windows = 9, .anneal_window = 5};
  const uint64_t main_samples = main_sample_count();
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  EXPECT_GE(outcome.windows_moved, scenario.windows - 1);
  std::vector<uint64_t> control;  // Of the annealing.
  for (uint64_t window = 1; window < 9; ++window) {
    ASSERT_TRUE(outcome.judged_own.contains(window)) << "window " << window;
    const std::vector<uint64_t>& own = outcome.judged_own.at(window);
    const std::vector<uint64_t>& others = outcome.judged_control.at(window);
    ASSERT_FALSE(own.empty() || others.empty()) << "window " << window;
    EXPECT_EQ(*std::ranges::max_element(own) >= main_samples, window >= 5) << "window " << window;
    if (window >= 5) {
      control.insert(control.end(), others.begin(), others.end());
    } else {
      EXPECT_LT(*std::ranges::max_element(others), main_samples) << "window " << window;
    }
  }
  EXPECT_GE(*std::ranges::max_element(control), main_samples);
}

TEST(Simulation, TheAnnealSurvivesFaultsAndKills) {
  Scenario scenario = scenario_of(11);
  scenario.kills = 0.3;
  scenario.anneal_window = 3;
  expect_kept(scenario, run(scenario));
}

// Nobody contributes while no training comes out finite; then everybody does, with an optimiser
// that knows nothing of it.
TEST(Simulation, TrainingThatIsNotFiniteIsSkippedAndLeavesNoTrace) {
  const Scenario scenario{.seed = 4, .windows = 8, .bursting = true, .anneal_window = 5};
  const Outcome outcome = run(scenario);
  expect_kept(scenario, outcome);
  EXPECT_EQ(outcome.windows_sealed, 3U * scenario.miners);
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
