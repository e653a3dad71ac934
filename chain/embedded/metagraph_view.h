// The metagraph as runtime APIs tell of it: a whole subnet in one answer.
//
// Names, order and types are those of subtensor spec 424.
#pragma once

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "chain/embedded/subnet_view.h"

namespace chain::embedded {

struct MetagraphInfo {
  static constexpr std::string_view kPath = "pallet_subtensor::rpc_info::metagraph::Metagraph";
  static constexpr std::string_view kNames =
      "netuid name symbol identity network_registered_at owner_hotkey owner_coldkey block tempo "
      "last_step blocks_since_last_step subnet_emission alpha_in alpha_out tao_in "
      "alpha_out_emission alpha_in_emission tao_in_emission pending_alpha_emission "
      "pending_root_emission subnet_volume moving_price rho kappa min_allowed_weights "
      "max_weights_limit weights_version weights_rate_limit activity_cutoff max_validators "
      "num_uids max_uids burn difficulty registration_allowed pow_registration_allowed "
      "immunity_period min_difficulty max_difficulty min_burn max_burn adjustment_alpha "
      "adjustment_interval target_regs_per_interval max_regs_per_block serving_rate_limit "
      "commit_reveal_weights_enabled commit_reveal_period liquid_alpha_enabled alpha_high "
      "alpha_low bonds_moving_avg hotkeys coldkeys identities axons active validator_permit "
      "pruning_score last_update emission dividends incentives consensus trust rank "
      "block_at_registration alpha_stake tao_stake total_stake tao_dividends_per_hotkey "
      "alpha_dividends_per_hotkey";
  C16 netuid;
  std::vector<C8> name, symbol;
  std::optional<SubnetIdentity> identity;
  C64 network_registered_at;
  AccountId owner_hotkey, owner_coldkey;
  C64 block;
  C16 tempo;
  C64 last_step, blocks_since_last_step, subnet_emission, alpha_in, alpha_out, tao_in;
  C64 alpha_out_emission, alpha_in_emission, tao_in_emission;
  C64 pending_alpha_emission, pending_root_emission;
  C128 subnet_volume;
  FixedI128 moving_price;
  C16 rho, kappa, min_allowed_weights, max_weights_limit;
  C64 weights_version, weights_rate_limit, activity_cutoff;
  C16 max_validators, num_uids, max_uids;
  C64 burn, difficulty;
  bool registration_allowed = false;
  bool pow_registration_allowed = false;
  C16 immunity_period;
  C64 min_difficulty, max_difficulty, min_burn, max_burn, adjustment_alpha;
  C16 adjustment_interval, target_regs_per_interval, max_regs_per_block;
  C64 serving_rate_limit;
  bool commit_reveal_weights_enabled = false;
  C64 commit_reveal_period;
  bool liquid_alpha_enabled = false;
  C16 alpha_high, alpha_low;
  C64 bonds_moving_avg;
  std::vector<AccountId> hotkeys, coldkeys;
  std::vector<std::optional<ChainIdentity>> identities;
  std::vector<AxonInfo> axons;
  std::vector<bool> active, validator_permit;
  std::vector<C16> pruning_score;
  std::vector<C64> last_update, emission;
  std::vector<C16> dividends, incentives, consensus, trust, rank;
  std::vector<C64> block_at_registration, alpha_stake, tao_stake, total_stake;
  Amounts tao_dividends_per_hotkey, alpha_dividends_per_hotkey;
};

// The same, of which only what was asked for is there (by its place in MetagraphInfo; netuid is
// there always), and two lists more.
struct SelectiveMetagraph {
  MetagraphInfo all;
  std::set<uint16_t> chosen;
};
template <>
struct Scale<SelectiveMetagraph> {
  static void put(Encoder& out, const SelectiveMetagraph& value);
  static substrate::Type type(TypeRegistry& registry);
};

// Nothing for a subnet that does not exist.
std::optional<MetagraphInfo> metagraph_info(const Storage& storage, uint16_t netuid,
                                            uint64_t block);

}  // namespace chain::embedded
