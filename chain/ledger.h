// The chain as one subnet sees it: blocks, neurons, weights, commitments, balances.
//
// Two things stand behind it: a node that speaks Substrate JSON-RPC (Bittensor's, or our own ledger
// process), and the embedded ledger's state in this process (simulation). Nothing above `chain/`
// knows which.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/keys.h"
#include "common/result.h"
#include "common/window.h"

namespace chain {

using common::AccountId;
using common::BlockNumber;
using common::Bytes;
using common::Hash;
using common::Instant;
using common::Keypair;
using common::Result;
using common::Uid;

// Balances are in rao; a TAO is 1e9 rao. Stake is the subnet's alpha, in the same unit.
inline constexpr uint64_t kRaoPerTao = 1'000'000'000;

struct Block {
  BlockNumber number;
  Hash hash;
  Instant time;  // Timestamp.Now of that block: the chain's clock.
};

// 16-bit values are shares of 65,535, as the chain stores them.
struct Neuron {
  Uid uid;
  AccountId hotkey;
  AccountId coldkey;
  uint64_t stake_rao = 0;  // All alpha staked to the hotkey on this subnet.
  bool active = false;
  bool validator_permit = false;
  uint16_t consensus = 0;
  uint16_t incentive = 0;
  uint16_t dividends = 0;
  uint16_t validator_trust = 0;
  uint64_t emission_rao = 0;  // Of the last epoch.
  BlockNumber last_update;    // When it last set weights.
  BlockNumber registered_at;
};

struct Metagraph {
  uint16_t netuid = 0;
  Block at;
  std::vector<Neuron> neurons;  // neurons[i].uid.index == i

  // Nothing if the hotkey is not registered.
  const Neuron* find(const AccountId& hotkey) const;
  // Validators with a permit, most stake first; equal stake: the lower uid. The first is the lead.
  std::vector<Uid> leads() const;
};

struct Weight {
  Uid uid;
  uint16_t value = 0;  // Any scale; the chain stores them scaled so that the largest is 65,535.
  auto operator<=>(const Weight&) const = default;
};

struct WeightRow {
  Uid validator;
  std::vector<Weight> weights;
};

// What a hotkey has committed last: at most three fields (raw bytes, at most 512 each).
struct Commitment {
  AccountId hotkey;
  BlockNumber block;
  std::vector<Bytes> fields;
};

struct Hyperparameters {
  uint16_t tempo = 0;
  uint16_t kappa = 0;
  uint16_t immunity_period = 0;
  uint16_t min_allowed_weights = 0;
  uint16_t max_allowed_uids = 0;
  uint16_t max_allowed_validators = 0;
  uint64_t weights_rate_limit = 0;
  uint64_t weights_version_key = 0;
  uint64_t activity_cutoff = 0;
  uint64_t burn_rao = 0;
  uint64_t bonds_moving_average = 0;
  bool registration_allowed = false;
  bool commit_reveal_enabled = false;
  bool liquid_alpha_enabled = false;
  bool yuma3 = false;
};

struct Axon {
  uint32_t ip = 0;  // IPv4, host byte order
  uint16_t port = 0;
};

// Reads: kUnavailable/kTimeout when nobody answers (retry), kNotFound for what is not on the chain.
// Writes return after the extrinsic stands in a block and succeeded; kRefused carries the chain's
// reason by name and what to do about it. A write that timed out may still have happened: read back
// before repeating. set_weights does so itself: it sets or commits as the subnet wants it, and
// returns when the chain is seen to hold it; committed weights count when they are revealed.
class Ledger {
 public:
  virtual ~Ledger() = default;

  virtual Result<Block> head() = 0;
  // kNotFound for a block that is not there yet, or so old that it is pruned.
  virtual Result<Block> block(BlockNumber number) = 0;
  // The subnet after block `at` (a recent one), or at the head.
  virtual Result<Metagraph> metagraph(std::optional<BlockNumber> at) = 0;
  virtual Result<std::vector<WeightRow>> weights() = 0;
  // As they stood after block `at` (a recent one), or at the head.
  virtual Result<std::vector<Commitment>> commitments(std::optional<BlockNumber> at) = 0;
  virtual Result<Hyperparameters> hyperparameters() = 0;
  // Free TAO of an account, in rao; 0 for one that does not exist.
  virtual Result<uint64_t> balance(const AccountId& account) = 0;

  virtual Result<Uid> register_neuron(const Keypair& coldkey, const AccountId& hotkey) = 0;
  virtual Result<void> add_stake(const Keypair& coldkey, const AccountId& hotkey,
                                 uint64_t amount_rao) = 0;
  virtual Result<void> transfer(const Keypair& from, const AccountId& to, uint64_t amount_rao) = 0;
  virtual Result<void> commit(const Keypair& hotkey, std::span<const Bytes> fields) = 0;
  virtual Result<void> set_weights(const Keypair& hotkey, std::span<const Weight> weights,
                                   uint64_t version_key) = 0;
  virtual Result<void> serve_axon(const Keypair& hotkey, const Axon& axon) = 0;

  // Carries on with what was begun and takes its time: reveals weights that set_weights committed
  // by their hash, in the epoch for which they are due. Validators call it about once a window;
  // nothing to do costs nothing.
  virtual Result<void> tend(const Keypair& /*hotkey*/) { return {}; }
};

struct LedgerAccess {
  // Keeps what must survive the program until the chain has it (salts of committed weights). "":
  // $MUSTER_STATE, $XDG_STATE_HOME/muster, or ~/.local/state/muster.
  std::filesystem::path state_folder;
};

// Connects to "ws://host:port", "wss://..", "http://..", "https://..", a network's name (finney,
// test, archive, local), or several of them with commas between, which are used in turn as they
// fail. kUnavailable, with what was tried, if nobody answers; kConflict if the node is of another
// chain than the network that was named. The only place that knows which implementations there are.
Result<std::unique_ptr<Ledger>> open_ledger(std::string_view endpoint, uint16_t netuid,
                                            common::Clock& clock, const LedgerAccess& access = {});

}  // namespace chain
