// muster-sim: any number of seeds, by hand. Prints what broke and the seed that shows it again.
#include <CLI/CLI.hpp>
#include <iostream>

#include "tests/sim/world.h"

int main(int argc, char** argv) {
  uint64_t first = 0;
  uint64_t seeds = 100;
  CLI::App app(
      "Runs the subnet under simulated faults, a history a seed.\n\nExample: muster-sim "
      "--first 0 --seeds 1000");
  app.add_option("--first", first, "The first seed")->capture_default_str();
  app.add_option("--seeds", seeds, "How many")->capture_default_str();
  bool verbose = false;
  app.add_flag("--verbose", verbose, "Let the nodes log");
  CLI11_PARSE(app, argc, argv);
  uint64_t failed = 0;
  uint64_t kills = 0;
  uint64_t moved = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    sim::Scenario scenario = sim::scenario_of(seed);
    scenario.verbose = verbose;
    const sim::Outcome outcome = sim::run(scenario);
    kills += outcome.kills;
    moved += outcome.windows_moved;
    failed += outcome.broken.empty() ? 0 : 1;
    for (const std::string& sentence : outcome.broken) {
      std::cout << "seed " << seed << ": " << sentence << std::endl;
    }
  }
  std::cout << seeds << " seeds, " << kills << " kills, " << moved << " windows moved, " << failed
            << " seeds broke a promise\n";
  return failed == 0 ? 0 : 1;
}
