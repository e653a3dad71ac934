// A subnet as runtime APIs tell of it: what the ledger stores, under the names that clients know.
// What mainnet has and the ledger has not (pools, root, identities) is zero or nothing.
//
// Names, order and types are those of subtensor spec 424.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "chain/embedded/info.h"
#include "chain/embedded/storage.h"

namespace chain::embedded {

using C8 = Compact<uint8_t>;
using C16 = Compact<uint16_t>;
using C64 = Compact<uint64_t>;
using C128 = Compact<Uint128>;
using Amounts = std::vector<std::tuple<AccountId, C64>>;
using Pairs16 = std::vector<std::tuple<C16, C16>>;

// The ledger has no identities; the types are there so that clients can decode their absence.
struct SubnetIdentity {
  static constexpr std::string_view kPath = "pallet_subtensor::pallet::SubnetIdentityV3";
  static constexpr std::string_view kNames =
      "subnet_name github_repo subnet_contact subnet_url discord description logo_url additional";
  Bytes subnet_name, github_repo, subnet_contact, subnet_url;
  Bytes discord, description, logo_url, additional;
};
struct ChainIdentity {
  static constexpr std::string_view kPath = "pallet_subtensor::pallet::ChainIdentityV2";
  static constexpr std::string_view kNames =
      "name url github_repo image discord description additional";
  Bytes name, url, github_repo, image, discord, description, additional;
};

struct NeuronInfoLite {
  static constexpr std::string_view kPath =
      "pallet_subtensor::rpc_info::neuron_info::NeuronInfoLite";
  static constexpr std::string_view kNames =
      "hotkey coldkey uid netuid active axon_info prometheus_info stake rank emission incentive "
      "consensus trust validator_trust dividends last_update validator_permit pruning_score";
  AccountId hotkey, coldkey;
  C16 uid, netuid;
  bool active = false;
  AxonInfo axon_info;
  PrometheusInfo prometheus_info;
  Amounts stake;
  C16 rank;
  C64 emission;
  C16 incentive, consensus, trust, validator_trust, dividends;
  C64 last_update;
  bool validator_permit = false;
  C16 pruning_score;
};
struct NeuronInfo {
  static constexpr std::string_view kPath = "pallet_subtensor::rpc_info::neuron_info::NeuronInfo";
  static constexpr std::string_view kNames =
      "hotkey coldkey uid netuid active axon_info prometheus_info stake rank emission incentive "
      "consensus trust validator_trust dividends last_update validator_permit weights bonds "
      "pruning_score";
  AccountId hotkey, coldkey;
  C16 uid, netuid;
  bool active = false;
  AxonInfo axon_info;
  PrometheusInfo prometheus_info;
  Amounts stake;
  C16 rank;
  C64 emission;
  C16 incentive, consensus, trust, validator_trust, dividends;
  C64 last_update;
  bool validator_permit = false;
  Pairs16 weights, bonds;
  C16 pruning_score;
};

struct SubnetHyperparams {
  static constexpr std::string_view kPath =
      "pallet_subtensor::rpc_info::subnet_info::SubnetHyperparams";
  static constexpr std::string_view kNames =
      "rho kappa immunity_period min_allowed_weights max_weights_limit tempo min_difficulty "
      "max_difficulty weights_version weights_rate_limit adjustment_interval activity_cutoff "
      "registration_allowed target_regs_per_interval min_burn max_burn bonds_moving_avg "
      "max_regs_per_block serving_rate_limit max_validators adjustment_alpha difficulty "
      "commit_reveal_period commit_reveal_weights_enabled alpha_high alpha_low "
      "liquid_alpha_enabled";
  C16 rho, kappa, immunity_period, min_allowed_weights, max_weights_limit, tempo;
  C64 min_difficulty, max_difficulty, weights_version, weights_rate_limit;
  C16 adjustment_interval;
  C64 activity_cutoff;
  bool registration_allowed = false;
  C16 target_regs_per_interval;
  C64 min_burn, max_burn, bonds_moving_avg;
  C16 max_regs_per_block;
  C64 serving_rate_limit;
  C16 max_validators;
  C64 adjustment_alpha, difficulty, commit_reveal_period;
  bool commit_reveal_weights_enabled = false;
  C16 alpha_high, alpha_low;
  bool liquid_alpha_enabled = false;
};
// The same and more: written after the first in the same bytes.
struct SubnetHyperparamsMore {
  static constexpr std::string_view kNames =
      "alpha_sigmoid_steepness yuma_version subnet_is_active transfers_enabled "
      "bonds_reset_enabled user_liquidity_enabled";
  FixedI64 alpha_sigmoid_steepness;
  C16 yuma_version;
  bool subnet_is_active = false;
  bool transfers_enabled = false;
  bool bonds_reset_enabled = false;
  bool user_liquidity_enabled = false;
};
struct SubnetHyperparamsV2 {
  SubnetHyperparams first;
  SubnetHyperparamsMore more;
};
template <>
struct Scale<SubnetHyperparamsV2> {
  static void put(Encoder& out, const SubnetHyperparamsV2& value) {
    embedded::put(out, value.first);
    embedded::put(out, value.more);
  }
  static SubnetHyperparamsV2 take(Decoder& in) {
    auto first = embedded::take<SubnetHyperparams>(in);
    return {std::move(first), embedded::take<SubnetHyperparamsMore>(in)};
  }
  static substrate::Type type(TypeRegistry& registry);
};

struct DynamicInfo {
  static constexpr std::string_view kPath = "pallet_subtensor::rpc_info::dynamic_info::DynamicInfo";
  static constexpr std::string_view kNames =
      "netuid owner_hotkey owner_coldkey subnet_name token_symbol tempo last_step "
      "blocks_since_last_step emission alpha_in alpha_out tao_in alpha_out_emission "
      "alpha_in_emission tao_in_emission pending_alpha_emission pending_root_emission "
      "subnet_volume network_registered_at subnet_identity moving_price";
  C16 netuid;
  AccountId owner_hotkey, owner_coldkey;
  std::vector<C8> subnet_name, token_symbol;
  C16 tempo;
  C64 last_step, blocks_since_last_step, emission, alpha_in, alpha_out, tao_in;
  C64 alpha_out_emission, alpha_in_emission, tao_in_emission;
  C64 pending_alpha_emission, pending_root_emission;
  C128 subnet_volume;
  C64 network_registered_at;
  std::optional<SubnetIdentity> subnet_identity;
  FixedI128 moving_price;
};

struct SubnetInfoV2 {
  static constexpr std::string_view kPath = "pallet_subtensor::rpc_info::subnet_info::SubnetInfov2";
  static constexpr std::string_view kNames =
      "netuid rho kappa difficulty immunity_period max_allowed_validators min_allowed_weights "
      "max_weights_limit scaling_law_power subnetwork_n max_allowed_uids blocks_since_last_step "
      "tempo network_modality network_connect emission_value burn owner identity";
  C16 netuid, rho, kappa;
  C64 difficulty;
  C16 immunity_period, max_allowed_validators, min_allowed_weights, max_weights_limit;
  C16 scaling_law_power, subnetwork_n, max_allowed_uids;
  C64 blocks_since_last_step;
  C16 tempo, network_modality;
  std::vector<std::array<uint16_t, 2>> network_connect;
  C64 emission_value, burn;
  AccountId owner;
  std::optional<SubnetIdentity> identity;
};

std::optional<NeuronInfo> neuron_info(const Storage& storage, uint16_t netuid, uint16_t uid);
NeuronInfoLite lite(const NeuronInfo& neuron);
// Nothing for a subnet that does not exist.
std::optional<SubnetHyperparams> hyperparams(const Storage& storage, uint16_t netuid);
std::optional<SubnetHyperparamsV2> hyperparams_v2(const Storage& storage, uint16_t netuid);
std::optional<DynamicInfo> dynamic_info(const Storage& storage, uint16_t netuid);
std::optional<SubnetInfoV2> subnet_info(const Storage& storage, uint16_t netuid);

}  // namespace chain::embedded
