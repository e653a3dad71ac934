// The arguments of SubtensorModule's calls, under the names that clients know.
//
// Names, order and types are those of subtensor spec 424.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "chain/embedded/wire.h"

namespace chain::embedded::calls {

using Numbers = std::vector<uint16_t>;

// Weights
struct SetWeights {
  static constexpr std::string_view kNames = "netuid dests weights version_key";
  uint16_t netuid = 0;
  Numbers dests;
  Numbers weights;
  uint64_t version_key = 0;
};
struct SetMechanismWeights {
  static constexpr std::string_view kNames = "netuid mecid dests weights version_key";
  uint16_t netuid = 0;
  uint8_t mecid = 0;
  Numbers dests;
  Numbers weights;
  uint64_t version_key = 0;
};
struct CommitWeights {
  static constexpr std::string_view kNames = "netuid commit_hash";
  uint16_t netuid = 0;
  Hash commit_hash;
};
struct CommitMechanismWeights {
  static constexpr std::string_view kNames = "netuid mecid commit_hash";
  uint16_t netuid = 0;
  uint8_t mecid = 0;
  Hash commit_hash;
};
struct RevealWeights {
  static constexpr std::string_view kNames = "netuid uids values salt version_key";
  uint16_t netuid = 0;
  Numbers uids;
  Numbers values;
  Numbers salt;
  uint64_t version_key = 0;
};
struct RevealMechanismWeights {
  static constexpr std::string_view kNames = "netuid mecid uids values salt version_key";
  uint16_t netuid = 0;
  uint8_t mecid = 0;
  Numbers uids;
  Numbers values;
  Numbers salt;
  uint64_t version_key = 0;
};
struct CommitTimelocked {
  static constexpr std::string_view kNames = "netuid commit reveal_round commit_reveal_version";
  uint16_t netuid = 0;
  Bounded<uint8_t> commit;
  uint64_t reveal_round = 0;
  uint16_t commit_reveal_version = 0;
};
struct CommitTimelockedMechanism {
  static constexpr std::string_view kNames =
      "netuid mecid commit reveal_round commit_reveal_version";
  uint16_t netuid = 0;
  uint8_t mecid = 0;
  Bounded<uint8_t> commit;
  uint64_t reveal_round = 0;
  uint16_t commit_reveal_version = 0;
};

// Stake
struct AddStake {
  static constexpr std::string_view kNames = "hotkey netuid amount_staked";
  AccountId hotkey;
  uint16_t netuid = 0;
  uint64_t amount_staked = 0;  // TAO in
};
struct AddStakeLimit {
  static constexpr std::string_view kNames =
      "hotkey netuid amount_staked limit_price allow_partial";
  AccountId hotkey;
  uint16_t netuid = 0;
  uint64_t amount_staked = 0;
  uint64_t limit_price = 0;
  bool allow_partial = false;
};
struct RemoveStake {
  static constexpr std::string_view kNames = "hotkey netuid amount_unstaked";
  AccountId hotkey;
  uint16_t netuid = 0;
  uint64_t amount_unstaked = 0;  // alpha out
};
struct RemoveStakeLimit {
  static constexpr std::string_view kNames =
      "hotkey netuid amount_unstaked limit_price allow_partial";
  AccountId hotkey;
  uint16_t netuid = 0;
  uint64_t amount_unstaked = 0;
  uint64_t limit_price = 0;
  bool allow_partial = false;
};
struct RemoveStakeFull {
  static constexpr std::string_view kNames = "hotkey netuid limit_price";
  AccountId hotkey;
  uint16_t netuid = 0;
  std::optional<uint64_t> limit_price;
};
struct UnstakeAll {
  static constexpr std::string_view kNames = "hotkey";
  AccountId hotkey;
};
struct MoveStake {
  static constexpr std::string_view kNames =
      "origin_hotkey destination_hotkey origin_netuid destination_netuid alpha_amount";
  AccountId origin_hotkey;
  AccountId destination_hotkey;
  uint16_t origin_netuid = 0;
  uint16_t destination_netuid = 0;
  uint64_t alpha_amount = 0;
};
struct TransferStake {
  static constexpr std::string_view kNames =
      "destination_coldkey hotkey origin_netuid destination_netuid alpha_amount";
  AccountId destination_coldkey;
  AccountId hotkey;
  uint16_t origin_netuid = 0;
  uint16_t destination_netuid = 0;
  uint64_t alpha_amount = 0;
};
struct Take {
  static constexpr std::string_view kNames = "hotkey take";
  AccountId hotkey;
  uint16_t take = 0;  // of 65,535
};

// Neurons and networks
struct BurnedRegister {
  static constexpr std::string_view kNames = "netuid hotkey";
  uint16_t netuid = 0;
  AccountId hotkey;
};
struct RegisterLimit {
  static constexpr std::string_view kNames = "netuid hotkey limit_price";
  uint16_t netuid = 0;
  AccountId hotkey;
  uint64_t limit_price = 0;
};
struct Hotkey {
  static constexpr std::string_view kNames = "hotkey";
  AccountId hotkey;
};
struct Netuid {
  static constexpr std::string_view kNames = "netuid";
  uint16_t netuid = 0;
};
struct SetTempo {
  static constexpr std::string_view kNames = "netuid tempo";
  uint16_t netuid = 0;
  uint16_t tempo = 0;
};
struct SetActivityCutoffFactor {
  static constexpr std::string_view kNames = "netuid factor_milli";
  uint16_t netuid = 0;
  uint32_t factor_milli = 0;
};
struct ServeAxon {
  static constexpr std::string_view kNames =
      "netuid version ip port ip_type protocol placeholder1 placeholder2";
  uint16_t netuid = 0;
  uint32_t version = 0;
  Uint128 ip = 0;
  uint16_t port = 0;
  uint8_t ip_type = 4;
  uint8_t protocol = 4;
  uint8_t placeholder1 = 0;
  uint8_t placeholder2 = 0;
};
struct ServePrometheus {
  static constexpr std::string_view kNames = "netuid version ip port ip_type";
  uint16_t netuid = 0;
  uint32_t version = 0;
  Uint128 ip = 0;
  uint16_t port = 0;
  uint8_t ip_type = 4;
};

}  // namespace chain::embedded::calls
