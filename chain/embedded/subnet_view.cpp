#include "chain/embedded/subnet_view.h"

#include "chain/embedded/items.h"
#include "chain/embedded/networks.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/weights.h"

namespace chain::embedded {
namespace {

constexpr uint16_t kMaxWeightsLimit = 65'535;  // Now a constant on the chain.

// Reads one subnet's values.
struct Reader {
  const Storage& storage;
  uint16_t netuid;

  template <typename T>
  T number(const SubnetMap& item) const {
    return get_number<T>(storage, item.key(netuid));
  }
  C16 c16(const SubnetMap& item) const { return {number<uint16_t>(item)}; }
  C64 c64(const SubnetMap& item) const { return {number<uint64_t>(item)}; }
  bool flag(const SubnetMap& item) const { return number<bool>(item); }
  AccountId account(const SubnetMap& item) const {
    return get_account(storage, item.key(netuid)).value_or(AccountId{});
  }
  bool exists() const { return flag(items::kNetworksAdded); }
};

template <typename T>
T at(const std::vector<T>& values, uint16_t uid) {
  return uid < values.size() ? values[uid] : T{};
}
template <typename T>
T column(const Reader& read, const SubnetMap& item, uint16_t uid) {
  return at(get_numbers<T>(read.storage, item.key(read.netuid)), uid);
}

Pairs16 pairs(const std::vector<chain::Weight>& row) {
  Pairs16 out;
  for (const chain::Weight& one : row) out.emplace_back(C16{one.uid.index}, C16{one.value});
  return out;
}

std::vector<C8> text8(std::string_view text) {
  std::vector<C8> out;
  for (const char letter : text) out.push_back({static_cast<uint8_t>(letter)});
  return out;
}

uint64_t activity_cutoff(const Reader& read) {
  const uint64_t factor = read.number<uint32_t>(items::kActivityCutoffFactorMilli);
  return factor * read.number<uint16_t>(items::kTempo) / 1000;
}

std::pair<uint16_t, uint16_t> alpha_values(const Reader& read) {
  const auto values =
      get<std::tuple<uint16_t, uint16_t>>(read.storage, items::kAlphaValues.key(read.netuid));
  return {std::get<0>(values), std::get<1>(values)};
}

}  // namespace

substrate::Type Scale<SubnetHyperparamsV2>::type(TypeRegistry& registry) {
  auto fields = fields_of<SubnetHyperparams>(registry);
  for (auto& field : fields_of<SubnetHyperparamsMore>(registry)) fields.push_back(std::move(field));
  return {path_of("pallet_subtensor::rpc_info::subnet_info::SubnetHyperparamsV2"),
          {},
          substrate::CompositeType{std::move(fields)}};
}

std::optional<NeuronInfo> neuron_info(const Storage& storage, uint16_t netuid, uint16_t uid) {
  const auto hotkey = get_account(storage, items::kKeys.key(netuid, uid));
  if (!hotkey || uid >= neuron_count(storage, netuid)) return std::nullopt;
  const Reader read{storage, netuid};
  NeuronInfo out;
  out.hotkey = *hotkey;
  out.coldkey = get_account(storage, items::kOwner.key(*hotkey)).value_or(AccountId{});
  out.uid = {uid};
  out.netuid = {netuid};
  out.active = column<bool>(read, items::kActive, uid);
  out.axon_info = get<AxonInfo>(storage, items::kAxons.key(netuid, *hotkey));
  out.prometheus_info = get<PrometheusInfo>(storage, kPrometheus.key(netuid, *hotkey));
  // As on mainnet: all that the hotkey holds, under its owner's name.
  out.stake = {{out.coldkey, C64{hotkey_alpha_rao(storage, *hotkey, netuid)}}};
  out.emission = {column<uint64_t>(read, items::kEmission, uid)};
  out.incentive = {column<uint16_t>(read, items::kIncentive, uid)};
  out.consensus = {column<uint16_t>(read, items::kConsensus, uid)};
  out.validator_trust = {column<uint16_t>(read, items::kValidatorTrust, uid)};
  out.dividends = {column<uint16_t>(read, items::kDividends, uid)};
  out.last_update = {column<uint64_t>(read, items::kLastUpdate, uid)};
  out.validator_permit = column<bool>(read, items::kValidatorPermit, uid);
  out.weights = pairs(get_row(storage, items::kWeights.key(netuid, uid)));
  out.bonds = pairs(get_row(storage, items::kBonds.key(netuid, uid)));
  return out;
}

NeuronInfoLite lite(const NeuronInfo& all) {
  return {all.hotkey,
          all.coldkey,
          all.uid,
          all.netuid,
          all.active,
          all.axon_info,
          all.prometheus_info,
          all.stake,
          all.rank,
          all.emission,
          all.incentive,
          all.consensus,
          all.trust,
          all.validator_trust,
          all.dividends,
          all.last_update,
          all.validator_permit,
          all.pruning_score};
}

std::optional<SubnetHyperparams> hyperparams(const Storage& storage, uint16_t netuid) {
  const Reader read{storage, netuid};
  if (!read.exists()) return std::nullopt;
  SubnetHyperparams out;
  out.rho = read.c16(items::kRho);
  out.kappa = read.c16(items::kKappa);
  out.immunity_period = read.c16(items::kImmunityPeriod);
  out.min_allowed_weights = read.c16(items::kMinAllowedWeights);
  out.max_weights_limit = {kMaxWeightsLimit};
  out.tempo = read.c16(items::kTempo);
  out.weights_version = read.c64(items::kWeightsVersionKey);
  out.weights_rate_limit = read.c64(items::kWeightsSetRateLimit);
  out.activity_cutoff = {activity_cutoff(read)};
  out.registration_allowed = read.flag(items::kRegistrationAllowed);
  out.min_burn = read.c64(items::kMinBurn);
  out.max_burn = read.c64(items::kMaxBurn);
  out.bonds_moving_avg = read.c64(items::kBondsMovingAverage);
  out.serving_rate_limit = read.c64(items::kServingRateLimit);
  out.max_validators = read.c16(items::kMaxAllowedValidators);
  out.commit_reveal_period = read.c64(kRevealPeriodEpochs);
  out.commit_reveal_weights_enabled = read.flag(items::kCommitRevealEnabled);
  const auto [low, high] = alpha_values(read);
  out.alpha_low = {low};
  out.alpha_high = {high};
  out.liquid_alpha_enabled = read.flag(items::kLiquidAlphaOn);
  return out;
}

std::optional<SubnetHyperparamsV2> hyperparams_v2(const Storage& storage, uint16_t netuid) {
  auto first = hyperparams(storage, netuid);
  if (!first) return std::nullopt;
  const Reader read{storage, netuid};
  SubnetHyperparamsMore more;
  more.alpha_sigmoid_steepness = {int64_t{read.number<int16_t>(kAlphaSigmoidSteepness)} << 32};
  more.yuma_version = {read.flag(items::kYuma3On) ? uint16_t{3} : uint16_t{2}};
  more.subnet_is_active = read.flag(kSubtokenEnabled);
  more.transfers_enabled = read.flag(kTransferToggle);
  return SubnetHyperparamsV2{*std::move(first), more};
}

std::optional<DynamicInfo> dynamic_info(const Storage& storage, uint16_t netuid) {
  const Reader read{storage, netuid};
  if (!read.exists()) return std::nullopt;
  DynamicInfo out;
  out.netuid = {netuid};
  out.owner_hotkey = read.account(items::kSubnetOwnerHotkey);
  out.owner_coldkey = read.account(items::kSubnetOwner);
  out.subnet_name = text8("subnet " + std::to_string(netuid));
  out.token_symbol = text8("SN" + std::to_string(netuid));
  out.tempo = read.c16(items::kTempo);
  out.last_step = read.c64(items::kLastStepBlock);
  out.blocks_since_last_step = read.c64(items::kBlocksSinceLastStep);
  out.emission = read.c64(kAlphaOutEmission);
  out.alpha_out = read.c64(kSubnetAlphaOut);
  out.tao_in = read.c64(kSubnetTao);
  out.alpha_out_emission = read.c64(kAlphaOutEmission);
  out.tao_in_emission = read.c64(kTaoInEmission);
  out.pending_alpha_emission = {read.number<uint64_t>(kPendingServer) +
                                read.number<uint64_t>(kPendingValidator)};
  out.network_registered_at = read.c64(kNetworkRegisteredAt);
  out.moving_price = {static_cast<Uint128>(1) << 32};  // One TAO, always.
  return out;
}

std::optional<SubnetInfoV2> subnet_info(const Storage& storage, uint16_t netuid) {
  const Reader read{storage, netuid};
  if (!read.exists()) return std::nullopt;
  SubnetInfoV2 out;
  out.netuid = {netuid};
  out.rho = read.c16(items::kRho);
  out.kappa = read.c16(items::kKappa);
  out.immunity_period = read.c16(items::kImmunityPeriod);
  out.max_allowed_validators = read.c16(items::kMaxAllowedValidators);
  out.min_allowed_weights = read.c16(items::kMinAllowedWeights);
  out.max_weights_limit = {kMaxWeightsLimit};
  out.subnetwork_n = read.c16(items::kSubnetworkN);
  out.max_allowed_uids = read.c16(items::kMaxAllowedUids);
  out.blocks_since_last_step = read.c64(items::kBlocksSinceLastStep);
  out.tempo = read.c16(items::kTempo);
  out.emission_value = read.c64(kAlphaOutEmission);
  out.burn = read.c64(items::kBurn);
  out.owner = read.account(items::kSubnetOwner);
  return out;
}

}  // namespace chain::embedded
