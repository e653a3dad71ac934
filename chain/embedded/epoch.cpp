#include "chain/embedded/epoch.h"

#include <algorithm>
#include <numeric>

#include "chain/embedded/balances.h"
#include "chain/embedded/commit_reveal.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/weights.h"

namespace chain::embedded {
namespace {

using substrate::Uint128;

EpochParams epoch_params(const Storage& storage, uint16_t netuid) {
  EpochParams params;
  const auto number = [&](const SubnetMap& item, auto& out) {
    out = get_number<std::remove_reference_t<decltype(out)>>(storage, item.key(netuid));
  };
  number(items::kTempo, params.tempo);
  number(items::kKappa, params.kappa);
  number(items::kBondsMovingAverage, params.bonds_moving_average);
  number(items::kBondsPenalty, params.bonds_penalty);
  number(items::kYuma3On, params.yuma3);
  number(items::kLiquidAlphaOn, params.liquid_alpha);
  number(kAlphaSigmoidSteepness, params.alpha_sigmoid_steepness);
  number(items::kMaxAllowedValidators, params.max_allowed_validators);
  uint32_t cutoff_factor_milli = 0;
  number(items::kActivityCutoffFactorMilli, cutoff_factor_milli);
  params.activity_cutoff = uint64_t{cutoff_factor_milli} * params.tempo / 1000;
  params.stake_threshold_rao = get_number<uint64_t>(storage, kStakeThreshold.key());
  params.tao_weight = get_number<uint64_t>(storage, kTaoWeight.key());
  const Bytes* alphas = storage.find(items::kAlphaValues.key(netuid));
  CHECK(alphas != nullptr);
  substrate::Decoder in(*alphas);
  params.alpha_low = in.number<uint16_t>();
  params.alpha_high = in.number<uint16_t>();
  CHECK(in.at_end());
  return params;
}

void unmint(Storage& storage, uint16_t netuid, uint64_t amount_rao) {
  if (amount_rao == 0) return;
  burn_issuance(storage, amount_rao);
  for (const Bytes& key :
       {items::kTotalStake.key(), kSubnetTao.key(netuid), kSubnetAlphaOut.key(netuid)}) {
    const auto before = get_number<uint64_t>(storage, key);
    CHECK(before >= amount_rao);
    put_number(storage, key, before - amount_rao);
  }
}

uint64_t drain(Storage& storage, const Bytes& key) {
  const auto amount = get_number<uint64_t>(storage, key);
  put_number(storage, key, uint64_t{0});
  return amount;
}

// One 16-bit or other number of every neuron, as a vector for storage.
template <typename T, typename Field>
void put_column(Storage& storage, const SubnetMap& item, uint16_t netuid,
                const std::vector<EpochResult>& results, Field field) {
  std::vector<T> column;
  for (const EpochResult& one : results) column.push_back(one.*field);
  put_numbers(storage, item.key(netuid), column);
}

void store_results(Storage& storage, uint16_t netuid, const std::vector<EpochResult>& results) {
  using R = EpochResult;
  put_column<bool>(storage, items::kActive, netuid, results, &R::active);
  put_column<bool>(storage, items::kValidatorPermit, netuid, results, &R::validator_permit);
  put_column<uint16_t>(storage, items::kConsensus, netuid, results, &R::consensus);
  put_column<uint16_t>(storage, items::kIncentive, netuid, results, &R::incentive);
  put_column<uint16_t>(storage, items::kDividends, netuid, results, &R::dividends);
  put_column<uint16_t>(storage, items::kValidatorTrust, netuid, results, &R::validator_trust);
  put_column<uint16_t>(storage, items::kStakeWeight, netuid, results, &R::stake_weight);
  put_column<uint64_t>(storage, items::kEmission, netuid, results, &R::emission_rao);
  for (uint16_t uid = 0; uid < results.size(); ++uid) {
    const Bytes key = items::kBonds.key(netuid, uid);
    if (results[uid].bonds.empty()) {
      storage.erase(key);
    } else {
      put_row(storage, key, results[uid].bonds);
    }
  }
}

AccountId hotkey_at(const Storage& storage, uint16_t netuid, uint16_t uid) {
  const auto hotkey = get_account(storage, items::kKeys.key(netuid, uid));
  CHECK(hotkey);
  return *hotkey;
}

AccountId owner_of(const Storage& storage, const AccountId& hotkey) {
  const auto owner = get_account(storage, items::kOwner.key(hotkey));
  CHECK(owner);
  return *owner;
}

void pay_incentives(Storage& storage, uint16_t netuid, uint64_t total_rao,
                    const std::vector<uint64_t>& parts_rao) {
  const auto subnet_owner = get_account(storage, items::kSubnetOwner.key(netuid));
  uint64_t unearned_rao = 0;
  for (uint16_t uid = 0; uid < parts_rao.size(); ++uid) {
    if (parts_rao[uid] == 0) continue;
    const AccountId hotkey = hotkey_at(storage, netuid, uid);
    const AccountId owner = owner_of(storage, hotkey);
    if (owner == subnet_owner) {
      unearned_rao += parts_rao[uid];
    } else {
      credit_alpha(storage, hotkey, owner, netuid, parts_rao[uid]);
    }
  }
  const Uint128 fraction = total_rao == 0 ? 0 : (Uint128{unearned_rao} << 32) / total_rao;
  storage.put(kMinerBurned.key(netuid), substrate::Encoder().number128(fraction).done());
  const bool recycles = get_number<uint8_t>(storage, kRecycleOrBurn.key(netuid)) == 1;
  if (recycles) unmint(storage, netuid, unearned_rao);
}

void pay_dividends(Storage& storage, uint16_t netuid, const std::vector<uint64_t>& parts_rao) {
  for (const Bytes& key :
       keys_under(storage.entries(), kAlphaDividends.prefix(netuid), std::nullopt, 65'536)) {
    storage.erase(key);
  }
  for (uint16_t uid = 0; uid < parts_rao.size(); ++uid) {
    if (parts_rao[uid] == 0) continue;
    const AccountId hotkey = hotkey_at(storage, netuid, uid);
    credit_dividend(storage, hotkey, netuid, parts_rao[uid]);
    put_number(storage, kAlphaDividends.key(netuid, hotkey), parts_rao[uid]);
  }
}

void pay_owner(Storage& storage, uint16_t netuid, uint64_t amount_rao) {
  const auto hotkey = get_account(storage, items::kSubnetOwnerHotkey.key(netuid));
  const auto coldkey = get_account(storage, items::kSubnetOwner.key(netuid));
  CHECK(hotkey && coldkey);
  credit_alpha(storage, *hotkey, *coldkey, netuid, amount_rao);
}

uint64_t sum(const std::vector<uint64_t>& parts) {
  return std::accumulate(parts.begin(), parts.end(), uint64_t{0});
}

void pay(Storage& storage, uint16_t netuid, uint64_t server_rao, uint64_t validator_rao,
         const std::vector<EpochResult>& results) {
  std::vector<uint64_t> incentives;
  std::vector<uint64_t> dividends;
  for (const EpochResult& one : results) {
    incentives.push_back(one.server_rao);
    dividends.push_back(one.validator_rao);
  }
  if (sum(incentives) == 0) {
    validator_rao += server_rao;
    server_rao = 0;
  }
  const auto incentive_parts = split_exactly(server_rao, incentives);
  const auto dividend_parts = split_exactly(validator_rao, dividends);
  pay_incentives(storage, netuid, server_rao, incentive_parts);
  pay_dividends(storage, netuid, dividend_parts);
  unmint(storage, netuid, server_rao - sum(incentive_parts) + validator_rao - sum(dividend_parts));
}

}  // namespace

std::vector<uint64_t> split_exactly(uint64_t total, const std::vector<uint64_t>& shares) {
  std::vector<uint64_t> parts(shares.size(), 0);
  Uint128 sum = 0;
  for (const uint64_t share : shares) sum += share;
  if (sum == 0) return parts;
  CHECK(sum <= ~uint64_t{0});
  // Differences of rounded running sums: what one part loses to rounding the next one gets.
  Uint128 running = 0;
  uint64_t paid = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    running += shares[i];
    const auto until = static_cast<uint64_t>(total * running / sum);
    parts[i] = until - paid;
    paid = until;
  }
  return parts;
}

EpochInput epoch_input(const Storage& storage, uint16_t netuid, uint64_t block,
                       uint64_t emission_rao) {
  EpochInput input;
  input.block = {block};
  input.last_epoch = {get_number<uint64_t>(storage, items::kLastStepBlock.key(netuid))};
  const auto owner = get_account(storage, items::kSubnetOwnerHotkey.key(netuid));
  if (owner) {
    if (const auto uid = uid_of(storage, netuid, *owner)) input.owner = Uid{*uid};
  }
  input.emission_rao = emission_rao;
  input.params = epoch_params(storage, netuid);
  const auto permits = get_numbers<bool>(storage, items::kValidatorPermit.key(netuid));
  const auto updates = get_numbers<uint64_t>(storage, items::kLastUpdate.key(netuid));
  const auto commits = oldest_commits(storage, netuid);
  for (uint16_t uid = 0; uid < neuron_count(storage, netuid); ++uid) {
    EpochNeuron neuron;
    const AccountId hotkey = hotkey_at(storage, netuid, uid);
    neuron.alpha_rao = hotkey_alpha_rao(storage, hotkey, netuid);
    neuron.validator_permit = permits[uid];
    neuron.last_update = {updates[uid]};
    neuron.registered_at = {
        get_number<uint64_t>(storage, items::kBlockAtRegistration.key(netuid, uid))};
    const auto commit = commits.find(hotkey);
    if (commit != commits.end()) neuron.oldest_commit = BlockNumber{commit->second};
    neuron.weights = get_row(storage, items::kWeights.key(netuid, uid));
    neuron.bonds = get_row(storage, items::kBonds.key(netuid, uid));
    input.neurons.push_back(std::move(neuron));
  }
  return input;
}

void close_epoch(const Context& context, uint16_t netuid) {
  Storage& storage = context.storage;
  const uint64_t server_rao = drain(storage, kPendingServer.key(netuid));
  const uint64_t validator_rao = drain(storage, kPendingValidator.key(netuid));
  const uint64_t owner_rao = drain(storage, kPendingOwnerCut.key(netuid));
  put_number(storage, items::kBlocksSinceLastStep.key(netuid), uint64_t{0});
  put_number(storage, items::kLastEpochBlock.key(netuid), context.block);
  put_number(storage, items::kPendingEpochAt.key(netuid), uint64_t{0});
  const Bytes index = items::kSubnetEpochIndex.key(netuid);
  put_number(storage, index, get_number<uint64_t>(storage, index) + 1);

  const EpochInput input = epoch_input(storage, netuid, context.block, server_rao + validator_rao);
  const EpochOutput output = run_epoch(input);
  store_results(storage, netuid, output.neurons);
  pay_owner(storage, netuid, owner_rao);
  pay(storage, netuid, server_rao, validator_rao, output.neurons);
  put_number(storage, items::kLastStepBlock.key(netuid), context.block);
}

}  // namespace chain::embedded
