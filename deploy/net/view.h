// One moment of a running subnet: what the screen and the report are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/peer.h"
#include "common/window.h"

namespace deploy {

// What a validator thinks of a miner: by the first validator that has judged anybody.
struct Judgement {
  uint16_t uid = 0;
  double gain = 0;        // Loss gain on common sequences, nats a token,
  double gain_error = 0;  //   and its standard error.
  double advantage = 0;   // Moving average of its own advantage's sign.
  double rating = 0;      // mu
  double weight = 0;
};

// A neuron, gathered from the chain and from its status file.
struct NodeView {
  std::string name;
  common::Role role = common::Role::kNone;
  std::optional<common::Uid> uid;
  std::string phase = "starting";  // Or "ended", "restarting": of the process.
  uint64_t sealed_bytes = 0;       // Size of a miner's last contribution, sealed.
  uint64_t bytes_sent = 0;         // Since the run began.
  std::string verdict = "-";       // Of the last manifest.
  std::optional<Judgement> judgement;
  double incentive = 0;      // By the chain, 0 to 1; of a validator its dividends.
  uint64_t balance_rao = 0;  // Free balance and stake.
  uint64_t earned_rao = 0;   // Since the run began.
  uint32_t restart_count = 0;
};

// A phase of the window: until this many blocks after its first.
struct PhaseEnd {
  std::string name;
  uint64_t block = 0;
};

struct View {
  uint64_t window = 0;
  uint64_t block = 0;
  uint64_t block_of_window = 0;
  std::vector<PhaseEnd> phases;  // Of a window, in order; the last ends with it.
  double block_s = 0;
  bool ledger_answers = true;
  std::vector<std::pair<uint64_t, double>> heldout;  // (window, loss), of all runs.
  std::vector<NodeView> nodes;
  std::vector<std::string> events;  // A sentence for everything out of the ordinary, oldest first.
};

}  // namespace deploy
