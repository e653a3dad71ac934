// A neuron as a place to read from, and as a voice. The chain's floor makes them, the training
// floor uses them, and neither knows the other.
#pragma once

#include <string>

#include "common/keys.h"
#include "common/window.h"

namespace common {

// What a neuron says it does; it says nothing before its first commitment.
enum class Role { kNone, kMiner, kValidator };

struct PeerAddress {
  Uid uid;
  AccountId hotkey;
  Role role = Role::kNone;
  std::string bucket;  // What it committed on the chain; empty: nothing.
  bool operator==(const PeerAddress&) const = default;
};

// A validator with a permit, and its stake.
struct Voter {
  Uid uid;
  AccountId hotkey;
  uint64_t stake = 0;
};

}  // namespace common
