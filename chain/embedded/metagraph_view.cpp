#include "chain/embedded/metagraph_view.h"

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"

namespace chain::embedded {
namespace {

constexpr uint16_t kValidatorsPlace = 72;
constexpr uint16_t kCommitmentsPlace = 73;

template <typename T>
std::vector<Compact<T>> compacts(const Storage& storage, const SubnetMap& item, uint16_t netuid) {
  std::vector<Compact<T>> out;
  for (const T value : get_numbers<T>(storage, item.key(netuid))) out.push_back({value});
  return out;
}

void add_rules(MetagraphInfo& out, const SubnetHyperparams& rules) {
  out.rho = rules.rho;
  out.kappa = rules.kappa;
  out.min_allowed_weights = rules.min_allowed_weights;
  out.max_weights_limit = rules.max_weights_limit;
  out.weights_version = rules.weights_version;
  out.weights_rate_limit = rules.weights_rate_limit;
  out.activity_cutoff = rules.activity_cutoff;
  out.max_validators = rules.max_validators;
  out.registration_allowed = rules.registration_allowed;
  out.immunity_period = rules.immunity_period;
  out.min_burn = rules.min_burn;
  out.max_burn = rules.max_burn;
  out.serving_rate_limit = rules.serving_rate_limit;
  out.commit_reveal_weights_enabled = rules.commit_reveal_weights_enabled;
  out.commit_reveal_period = rules.commit_reveal_period;
  out.liquid_alpha_enabled = rules.liquid_alpha_enabled;
  out.alpha_high = rules.alpha_high;
  out.alpha_low = rules.alpha_low;
  out.bonds_moving_avg = rules.bonds_moving_avg;
}

void add_subnet_values(MetagraphInfo& out, const DynamicInfo& subnet) {
  out.netuid = subnet.netuid;
  out.name = subnet.subnet_name;
  out.symbol = subnet.token_symbol;
  out.network_registered_at = subnet.network_registered_at;
  out.owner_hotkey = subnet.owner_hotkey;
  out.owner_coldkey = subnet.owner_coldkey;
  out.tempo = subnet.tempo;
  out.last_step = subnet.last_step;
  out.blocks_since_last_step = subnet.blocks_since_last_step;
  out.subnet_emission = subnet.emission;
  out.alpha_out = subnet.alpha_out;
  out.tao_in = subnet.tao_in;
  out.alpha_out_emission = subnet.alpha_out_emission;
  out.tao_in_emission = subnet.tao_in_emission;
  out.pending_alpha_emission = subnet.pending_alpha_emission;
  out.moving_price = subnet.moving_price;
}

void add_neurons(MetagraphInfo& out, const Storage& storage, uint16_t netuid) {
  const uint16_t count = neuron_count(storage, netuid);
  out.num_uids = {count};
  out.active = get_numbers<bool>(storage, items::kActive.key(netuid));
  out.validator_permit = get_numbers<bool>(storage, items::kValidatorPermit.key(netuid));
  out.last_update = compacts<uint64_t>(storage, items::kLastUpdate, netuid);
  out.emission = compacts<uint64_t>(storage, items::kEmission, netuid);
  out.dividends = compacts<uint16_t>(storage, items::kDividends, netuid);
  out.incentives = compacts<uint16_t>(storage, items::kIncentive, netuid);
  out.consensus = compacts<uint16_t>(storage, items::kConsensus, netuid);
  // The chain no longer computes these; it tells zeros.
  out.pruning_score = out.trust = out.rank = std::vector<C16>(count);
  out.tao_stake = std::vector<C64>(count);
  out.identities.resize(count);
  for (uint16_t uid = 0; uid < count; ++uid) {
    const auto hotkey = get_account(storage, items::kKeys.key(netuid, uid)).value_or(AccountId{});
    out.hotkeys.push_back(hotkey);
    out.coldkeys.push_back(get_account(storage, items::kOwner.key(hotkey)).value_or(AccountId{}));
    out.axons.push_back(get<AxonInfo>(storage, items::kAxons.key(netuid, hotkey)));
    out.block_at_registration.push_back(
        {get_number<uint64_t>(storage, items::kBlockAtRegistration.key(netuid, uid))});
    const C64 stake{hotkey_alpha_rao(storage, hotkey, netuid)};
    out.alpha_stake.push_back(stake);
    out.total_stake.push_back(stake);
    out.tao_dividends_per_hotkey.emplace_back(hotkey, C64{0});
    out.alpha_dividends_per_hotkey.emplace_back(
        hotkey, C64{get_number<uint64_t>(storage, kAlphaDividends.key(netuid, hotkey))});
  }
}

}  // namespace

std::optional<MetagraphInfo> metagraph_info(const Storage& storage, uint16_t netuid,
                                            uint64_t block) {
  const auto subnet = dynamic_info(storage, netuid);
  const auto rules = hyperparams(storage, netuid);
  if (!subnet || !rules) return std::nullopt;
  MetagraphInfo out;
  add_subnet_values(out, *subnet);
  add_rules(out, *rules);
  add_neurons(out, storage, netuid);
  out.block = {block};
  out.max_uids = {get_number<uint16_t>(storage, items::kMaxAllowedUids.key(netuid))};
  out.burn = {get_number<uint64_t>(storage, items::kBurn.key(netuid))};
  return out;
}

void Scale<SelectiveMetagraph>::put(Encoder& out, const SelectiveMetagraph& value) {
  uint16_t place = 0;
  boost::pfr::for_each_field(value.all, [&](const auto& field) {
    using T = std::remove_cvref_t<decltype(field)>;
    if (place == 0) {
      embedded::put<T>(out, field);
    } else if (value.chosen.contains(place)) {
      out.number(true);
      embedded::put<T>(out, field);
    } else {
      out.number(false);
    }
    ++place;
  });
  CHECK(place == kValidatorsPlace);
  out.number(value.chosen.contains(kValidatorsPlace));
  if (value.chosen.contains(kValidatorsPlace)) {
    std::vector<C16> validators;
    for (uint16_t uid = 0; uid < value.all.validator_permit.size(); ++uid) {
      if (value.all.validator_permit[uid]) validators.push_back({uid});
    }
    embedded::put(out, validators);
  }
  // Commitments are read where they are stored.
  out.number(value.chosen.contains(kCommitmentsPlace));
  if (value.chosen.contains(kCommitmentsPlace)) out.compact(0);
}

substrate::Type Scale<SelectiveMetagraph>::type(TypeRegistry& registry) {
  auto fields = fields_of<MetagraphInfo>(registry);
  size_t place = 0;
  boost::pfr::for_each_field(MetagraphInfo{}, [&](const auto& field) {
    using T = std::remove_cvref_t<decltype(field)>;
    if (place > 0) fields[place].type = registry.id<std::optional<T>>();
    ++place;
  });
  fields.push_back({"validators", registry.id<std::optional<std::vector<C16>>>()});
  using Commitments = std::vector<std::tuple<AccountId, std::vector<C8>>>;
  fields.push_back({"commitments", registry.id<std::optional<Commitments>>()});
  return {path_of("pallet_subtensor::rpc_info::metagraph::SelectiveMetagraph"),
          {},
          substrate::CompositeType{std::move(fields)}};
}

}  // namespace chain::embedded
