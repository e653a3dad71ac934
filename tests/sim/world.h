// A whole subnet in one process: real Workers and Validators, the real ledger state, time turned by
// hand, buckets that fail on a seed, nodes that are killed on a seed.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "chain/ledger.h"
#include "chain/private_network.h"
#include "common/hparams.h"
#include "common/keys.h"
#include "common/philox.h"
#include "tests/sim/faulty_store.h"
#include "tests/sim/turns.h"
#include "tests/temp_folder.h"
#include "train/dataset.h"
#include "validator/score_store.h"

namespace sim {

struct Scenario {
  uint64_t seed = 0;
  uint32_t miners = 3;
  uint32_t validators = 2;
  uint64_t windows = 8;       // In all;
  uint64_t faulty_until = 5;  //   faults and kills stop before this window.
  Faults faults;
  double kills = 0;        // Chance of each node, each window, to be killed at a random operation.
  bool lead_dies = false;  // The lead validator is killed in window 2 and never comes back.
  milliseconds skew_max{0};    // Clocks are off by up to this.
  bool bursting = false;       // Before the annealing the rate throws every training out of fp32.
  uint64_t anneal_window = 0;  // From here on the network anneals, on other data; 0: never.
  bool given_model = false;    // The network begins with a model in a folder.
  bool look_ahead = false;     // Miners train ahead of theta by what they hold back.
  bool verbose = false;        // Let the nodes log.
};

// What a run must answer for.
struct Outcome {
  // Broken promises, as sentences; empty: all held.
  std::vector<std::string> broken;
  uint64_t windows_moved = 0;  // Windows whose manifest was applied.
  uint64_t kills = 0;
  std::string history;  // Digest of all roots: the same for the same scenario.
  // By window, the training samples that were judged: of miners' receipts, and for control.
  std::map<uint64_t, std::vector<uint64_t>> judged_own;
  std::map<uint64_t, std::vector<uint64_t>> judged_control;
  uint64_t windows_sealed = 0;  // Of all miners.
};

// Runs it to its end and checks: honest replicas equal bit for bit, no score without evidence (the
// audit), weights sum to one, optimisers
// remember every window that was sealed and no other, nothing that was acknowledged is lost, and
// all nodes move again once the faults have stopped.
Outcome run(const Scenario& scenario);

// The scenario that a seed stands for: which faults, how many, who dies.
Scenario scenario_of(uint64_t seed);

}  // namespace sim
