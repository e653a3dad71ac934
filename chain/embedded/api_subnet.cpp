// What Bittensor's clients ask of the runtime: neurons, subnets, stake, delegates, prices.
#include "chain/embedded/apis.h"
#include "chain/embedded/items.h"
#include "chain/embedded/metagraph_view.h"
#include "chain/embedded/networks.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/rows.h"
#include "chain/embedded/staking.h"

namespace chain::embedded {
namespace {

struct NoInputs {
  static constexpr std::string_view kNames = "";
};
struct NetuidInput {
  static constexpr std::string_view kNames = "netuid";
  uint16_t netuid = 0;
};
struct NeuronInput {
  static constexpr std::string_view kNames = "netuid uid";
  uint16_t netuid = 0;
  uint16_t uid = 0;
};
struct MechagraphInput {
  static constexpr std::string_view kNames = "netuid mecid";
  uint16_t netuid = 0;
  uint8_t mecid = 0;
};
struct SelectiveInput {
  static constexpr std::string_view kNames = "netuid metagraph_indexes";
  uint16_t netuid = 0;
  std::vector<uint16_t> metagraph_indexes;
};
struct ColdkeyInput {
  static constexpr std::string_view kNames = "coldkey_account";
  AccountId coldkey_account;
};
struct ColdkeysInput {
  static constexpr std::string_view kNames = "coldkey_accounts";
  std::vector<AccountId> coldkey_accounts;
};
struct HolderInput {
  static constexpr std::string_view kNames = "hotkey_account coldkey_account netuid";
  AccountId hotkey_account;
  AccountId coldkey_account;
  uint16_t netuid = 0;
};
struct StakeFeeInput {
  static constexpr std::string_view kNames =
      "origin origin_coldkey_account destination destination_coldkey_account amount";
  std::optional<std::tuple<AccountId, uint16_t>> origin;
  AccountId origin_coldkey_account;
  std::optional<std::tuple<AccountId, uint16_t>> destination;
  AccountId destination_coldkey_account;
  uint64_t amount = 0;
};
struct DelegateInput {
  static constexpr std::string_view kNames = "delegate_account";
  AccountId delegate_account;
};
struct TaoInput {
  static constexpr std::string_view kNames = "netuid tao";
  uint16_t netuid = 0;
  uint64_t tao = 0;
};
struct AlphaInput {
  static constexpr std::string_view kNames = "netuid alpha";
  uint16_t netuid = 0;
  uint64_t alpha = 0;
};

struct StakeInfo {
  static constexpr std::string_view kPath = "pallet_subtensor::rpc_info::stake_info::StakeInfo";
  static constexpr std::string_view kNames =
      "hotkey coldkey netuid stake locked emission tao_emission drain is_registered";
  AccountId hotkey, coldkey;
  C16 netuid;
  C64 stake, locked, emission, tao_emission, drain;
  bool is_registered = false;
};
struct DelegateInfo {
  static constexpr std::string_view kPath =
      "pallet_subtensor::rpc_info::delegate_info::DelegateInfo";
  static constexpr std::string_view kNames =
      "delegate_ss58 take nominators owner_ss58 registrations validator_permits return_per_1000 "
      "total_daily_return";
  AccountId delegate_ss58;
  C16 take;
  std::vector<std::tuple<AccountId, std::vector<std::tuple<C16, C64>>>> nominators;
  AccountId owner_ss58;
  std::vector<C16> registrations, validator_permits;
  C64 return_per_1000, total_daily_return;
};
struct SubnetPrice {
  static constexpr std::string_view kPath = "pallet_subtensor_swap_runtime_api::SubnetPrice";
  static constexpr std::string_view kNames = "netuid price";
  uint16_t netuid = 0;
  uint64_t price = 0;
};
struct SimSwapResult {
  static constexpr std::string_view kPath = "pallet_subtensor_swap_runtime_api::SimSwapResult";
  static constexpr std::string_view kNames =
      "tao_amount alpha_amount tao_fee alpha_fee tao_slippage alpha_slippage";
  uint64_t tao_amount = 0, alpha_amount = 0, tao_fee = 0, alpha_fee = 0;
  uint64_t tao_slippage = 0, alpha_slippage = 0;
};

// NeuronInfoRuntimeApi
std::vector<NeuronInfo> get_neurons(const ApiContext& context, const NetuidInput& input) {
  std::vector<NeuronInfo> out;
  for (uint16_t uid = 0; uid < neuron_count(context.storage, input.netuid); ++uid) {
    if (auto one = neuron_info(context.storage, input.netuid, uid)) out.push_back(*std::move(one));
  }
  return out;
}
std::optional<NeuronInfo> get_neuron(const ApiContext& context, const NeuronInput& input) {
  return neuron_info(context.storage, input.netuid, input.uid);
}
std::vector<NeuronInfoLite> get_neurons_lite(const ApiContext& context, const NetuidInput& input) {
  std::vector<NeuronInfoLite> out;
  for (const NeuronInfo& one : get_neurons(context, input)) out.push_back(lite(one));
  return out;
}
std::optional<NeuronInfoLite> get_neuron_lite(const ApiContext& context, const NeuronInput& input) {
  const auto one = get_neuron(context, input);
  if (!one) return std::nullopt;
  return lite(*one);
}

// SubnetInfoRuntimeApi
std::optional<SubnetHyperparams> get_hyperparams(const ApiContext& context,
                                                 const NetuidInput& input) {
  return hyperparams(context.storage, input.netuid);
}
std::optional<SubnetHyperparamsV2> get_hyperparams_v2(const ApiContext& context,
                                                      const NetuidInput& input) {
  return hyperparams_v2(context.storage, input.netuid);
}
std::optional<DynamicInfo> get_dynamic_info(const ApiContext& context, const NetuidInput& input) {
  return dynamic_info(context.storage, input.netuid);
}
std::optional<SubnetInfoV2> get_subnet_info(const ApiContext& context, const NetuidInput& input) {
  return subnet_info(context.storage, input.netuid);
}
std::optional<MetagraphInfo> get_metagraph(const ApiContext& context, const NetuidInput& input) {
  return metagraph_info(context.storage, input.netuid, context.block);
}
std::optional<MetagraphInfo> get_mechagraph(const ApiContext& context,
                                            const MechagraphInput& input) {
  if (input.mecid != 0) return std::nullopt;
  return metagraph_info(context.storage, input.netuid, context.block);
}
std::optional<SelectiveMetagraph> get_selective(const ApiContext& context,
                                                const SelectiveInput& input) {
  auto all = metagraph_info(context.storage, input.netuid, context.block);
  if (!all) return std::nullopt;
  const auto& chosen = input.metagraph_indexes;
  return SelectiveMetagraph{*std::move(all), {chosen.begin(), chosen.end()}};
}
std::optional<uint64_t> get_next_epoch(const ApiContext& context, const NetuidInput& input) {
  return next_epoch_block(context.storage, input.netuid, context.block);
}
// One entry a netuid, and nothing where there is no subnet, as on mainnet.
template <typename T, std::optional<T> kOne(const ApiContext&, const NetuidInput&)>
std::vector<std::optional<T>> every(const ApiContext& context, const NoInputs&) {
  std::vector<std::optional<T>> out;
  for (const uint16_t netuid : subnets(context.storage)) {
    out.resize(netuid);
    out.push_back(kOne(context, {netuid}));
  }
  return out;
}

// StakeInfoRuntimeApi
StakeInfo stake_info(const Storage& storage, const AccountId& hotkey, const AccountId& coldkey,
                     uint16_t netuid) {
  StakeInfo out;
  out.hotkey = hotkey;
  out.coldkey = coldkey;
  out.netuid = {netuid};
  out.stake = {coldkey_alpha_rao(storage, hotkey, coldkey, netuid)};
  out.emission = {get_number<uint64_t>(storage, kAlphaDividends.key(netuid, hotkey))};
  out.is_registered = uid_of(storage, netuid, hotkey).has_value();
  return out;
}
std::vector<StakeInfo> stake_for_coldkey(const ApiContext& context, const ColdkeyInput& input) {
  const Storage& storage = context.storage;
  const AccountId& coldkey = input.coldkey_account;
  std::vector<StakeInfo> out;
  for (const AccountId& hotkey : get_accounts(storage, items::kStakingHotkeys.key(coldkey))) {
    for (const uint16_t netuid : subnets(storage)) {
      const StakeInfo one = stake_info(storage, hotkey, coldkey, netuid);
      if (one.stake > 0) out.push_back(one);
    }
  }
  return out;
}
std::vector<std::tuple<AccountId, std::vector<StakeInfo>>> stake_for_coldkeys(
    const ApiContext& context, const ColdkeysInput& input) {
  std::vector<std::tuple<AccountId, std::vector<StakeInfo>>> out;
  for (const AccountId& coldkey : input.coldkey_accounts) {
    out.emplace_back(coldkey, stake_for_coldkey(context, {coldkey}));
  }
  return out;
}
std::optional<StakeInfo> stake_for_holder(const ApiContext& context, const HolderInput& input) {
  return stake_info(context.storage, input.hotkey_account, input.coldkey_account, input.netuid);
}
uint64_t stake_fee(const ApiContext&, const StakeFeeInput&) { return 0; }

uint64_t registration_cost(const ApiContext& context, const NoInputs&) {
  return lock_cost_rao(context.storage, context.block);
}

// DelegateInfoRuntimeApi. Everybody's hotkey is a delegate; its nominators are not listed by
// hotkey, and so the owner alone stands there.
std::optional<DelegateInfo> get_delegate(const ApiContext& context, const DelegateInput& input) {
  const Storage& storage = context.storage;
  const AccountId& hotkey = input.delegate_account;
  const auto owner = get_account(storage, items::kOwner.key(hotkey));
  if (!owner) return std::nullopt;
  DelegateInfo out;
  out.delegate_ss58 = hotkey;
  out.owner_ss58 = *owner;
  out.take = {delegate_take(storage, hotkey)};
  std::vector<std::tuple<C16, C64>> stakes;
  for (const uint16_t netuid : subnets(storage)) {
    stakes.emplace_back(C16{netuid}, C64{coldkey_alpha_rao(storage, hotkey, *owner, netuid)});
    const auto uid = uid_of(storage, netuid, hotkey);
    if (!uid) continue;
    out.registrations.push_back({netuid});
    if (get_numbers<bool>(storage, items::kValidatorPermit.key(netuid)).at(*uid)) {
      out.validator_permits.push_back({netuid});
    }
  }
  out.nominators = {{*owner, std::move(stakes)}};
  return out;
}
std::vector<DelegateInfo> get_delegates(const ApiContext& context, const NoInputs&) {
  std::vector<DelegateInfo> out;
  const Bytes prefix = items::kOwner.prefix();
  for (const Bytes& key :
       keys_under(context.storage.entries(), prefix, std::nullopt, kSequenceMax)) {
    const AccountId hotkey = Decoder(ByteView(key).last(sizeof(AccountId))).account();
    if (auto one = get_delegate(context, {hotkey})) out.push_back(*std::move(one));
  }
  return out;
}

// SwapRuntimeApi. Alpha costs one TAO, without a fee.
uint64_t alpha_price(const ApiContext&, const NetuidInput&) { return kAlphaPriceRao; }
std::vector<SubnetPrice> alpha_price_all(const ApiContext& context, const NoInputs&) {
  std::vector<SubnetPrice> out;
  for (const uint16_t netuid : subnets(context.storage)) out.push_back({netuid, kAlphaPriceRao});
  return out;
}
SimSwapResult swap_tao(const ApiContext&, const TaoInput& input) {
  return {input.tao, input.tao, 0, 0, 0, 0};
}
SimSwapResult swap_alpha(const ApiContext&, const AlphaInput& input) {
  return {input.alpha, input.alpha, 0, 0, 0, 0};
}

}  // namespace

std::vector<ApiRow> subnet_apis() {
  constexpr auto kNeurons = "NeuronInfoRuntimeApi";
  constexpr auto kSubnets = "SubnetInfoRuntimeApi";
  constexpr auto kStake = "StakeInfoRuntimeApi";
  constexpr auto kDelegate = "DelegateInfoRuntimeApi";
  constexpr auto kSwap = "SwapRuntimeApi";
  return {
      api<get_neurons>(kNeurons, "get_neurons"),
      api<get_neuron>(kNeurons, "get_neuron"),
      api<get_neurons_lite>(kNeurons, "get_neurons_lite"),
      api<get_neuron_lite>(kNeurons, "get_neuron_lite"),
      api<get_subnet_info>(kSubnets, "get_subnet_info_v2"),
      api<every<SubnetInfoV2, get_subnet_info>>(kSubnets, "get_subnets_info_v2"),
      api<get_hyperparams>(kSubnets, "get_subnet_hyperparams"),
      api<get_hyperparams_v2>(kSubnets, "get_subnet_hyperparams_v2"),
      api<get_dynamic_info>(kSubnets, "get_dynamic_info"),
      api<every<DynamicInfo, get_dynamic_info>>(kSubnets, "get_all_dynamic_info"),
      api<get_metagraph>(kSubnets, "get_metagraph"),
      api<every<MetagraphInfo, get_metagraph>>(kSubnets, "get_all_metagraphs"),
      api<get_mechagraph>(kSubnets, "get_mechagraph"),
      api<get_selective>(kSubnets, "get_selective_metagraph"),
      api<get_next_epoch>(kSubnets, "get_next_epoch_start_block"),
      api<stake_for_coldkey>(kStake, "get_stake_info_for_coldkey"),
      api<stake_for_coldkeys>(kStake, "get_stake_info_for_coldkeys"),
      api<stake_for_holder>(kStake, "get_stake_info_for_hotkey_coldkey_netuid"),
      api<stake_fee>(kStake, "get_stake_fee"),
      api<registration_cost>("SubnetRegistrationRuntimeApi", "get_network_registration_cost"),
      api<get_delegate>(kDelegate, "get_delegate"),
      api<get_delegates>(kDelegate, "get_delegates"),
      api<alpha_price>(kSwap, "current_alpha_price"),
      api<alpha_price_all>(kSwap, "current_alpha_price_all"),
      api<swap_tao>(kSwap, "sim_swap_tao_for_alpha"),
      api<swap_alpha>(kSwap, "sim_swap_alpha_for_tao"),
  };
}

}  // namespace chain::embedded
