// The first block: which subnet there is, by which rules, and who has how much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/embedded/storage.h"
#include "chain/ledger.h"
#include "chain/timelock/timelock.h"
#include "common/result.h"

namespace chain::embedded {

struct Endowment {
  AccountId account;
  uint64_t free_rao = 0;
};

// The subnet's rules; the values are what a new subnet gets on Bittensor, but that weights are set
// in the open. Shares are of 65,535, periods are in blocks.
struct SubnetRules {
  uint16_t tempo = 360;
  uint16_t kappa = 32'767;
  uint16_t immunity_period = 5'000;
  uint16_t min_allowed_weights = 1;
  uint16_t max_allowed_uids = 256;
  uint16_t max_allowed_validators = 64;
  uint16_t min_non_immune_uids = 10;
  uint64_t weights_rate_limit = 100;
  uint64_t weights_version_key = 0;
  uint64_t serving_rate_limit = 50;
  uint64_t activity_cutoff = 5'000;
  uint64_t stake_threshold_rao = 0;
  uint64_t burn_rao = kRaoPerTao;
  uint64_t min_burn_rao = 500'000;
  uint64_t max_burn_rao = 100 * kRaoPerTao;
  uint16_t burn_half_life = 360;
  uint64_t bonds_moving_average = 900'000;  // of 1,000,000
  uint16_t bonds_penalty = 65'535;
  uint16_t owner_cut = 11'796;
  uint16_t alpha_low = 45'875;
  uint16_t alpha_high = 58'982;
  bool registration_allowed = true;
  bool liquid_alpha_enabled = false;
  bool yuma3 = true;
  bool commit_reveal_enabled = false;
  uint64_t commit_reveal_epochs = 1;  // From a commitment of weights to its reveal.
};

struct Genesis {
  std::string chain = "Muster private network";
  common::Instant time;  // Of block 0.
  uint16_t netuid = 1;
  AccountId owner_coldkey;
  AccountId owner_hotkey;  // Takes uid 0.
  AccountId sudo;          // Who may do what root may.
  // Whose pulses open time locks. Nothing: the ledger's own, whose key it adds (`with_beacon`).
  std::optional<timelock::Beacon> beacon;
  uint64_t emission_rao_per_block = kRaoPerTao;
  SubnetRules rules;
  std::vector<Endowment> accounts;
};

// The state before block 1; without System.Number and the like, which blocks write.
// Pre: genesis holds (`check_genesis`).
Storage genesis_storage(const Genesis& genesis);

// Adds a subnet and its owner's neuron: what genesis and register_network do. One that is not
// `started` takes no stake until its owner starts it.
struct NewSubnet {
  uint16_t netuid = 0;
  AccountId owner_coldkey;
  AccountId owner_hotkey;
  uint64_t emission_rao_per_block = 0;
  bool started = false;
};
void add_subnet(Storage& storage, uint64_t block, const NewSubnet& subnet,
                const SubnetRules& rules);

// A genesis for trying things out: //Alice to //Ferdie have a million TAO each, //Alice owns subnet
// 1 with the hotkey //Alice//hot and is root, blocks and epochs come fast.
Genesis development_genesis();

// The same with a beacon whose key is `own` if it names none: a pulse a second from genesis on.
Genesis with_beacon(Genesis genesis, const timelock::BeaconKey& own);

// kInvalidArgument in a sentence: root's netuid, a tempo of 0, more than kEpochNeuronsMax uids,
// burn outside its bounds, an account named twice or below the existential deposit, more TAO than
// there can be.
Result<void> check_genesis(const Genesis& genesis);

// {"chain": ..., "time_unix_ms": ..., "netuid": ..., "owner_coldkey": "5...", "owner_hotkey":
// "5...",
//  "emission_rao_per_block": ..., "rules": {"tempo": ..., ...}, "accounts": {"5...": rao, ...}}
// netuid, owners and accounts must be there; the rest may be left out. "sudo" (the owner's coldkey)
// may do what root may; "beacon" is "own" (the ledger's, and what is meant without it) or
// "quicknet". Unknown keys are refused.
Result<Genesis> parse_genesis(std::string_view json);

}  // namespace chain::embedded
