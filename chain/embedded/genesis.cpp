#include "chain/embedded/genesis.h"

#include <algorithm>
#include <set>

#include "chain/embedded/balances.h"
#include "chain/embedded/commit_reveal.h"
#include "chain/embedded/drand.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/yuma.h"
#include "common/strict_json.h"

namespace chain::embedded {
namespace {

using common::Code;
using common::Error;
using common::StrictObject;
using substrate::Encoder;

constexpr uint32_t kCommitmentSpaceMax = 3'100;
constexpr uint64_t kLockCostRao = 1'000 * kRaoPerTao;
constexpr uint64_t kLockReductionBlocks = 100'800;
// 1.26 as the chain's default has it, in 64 fraction bits.
constexpr uint64_t kBurnRiseWhole = 1;
constexpr uint64_t kBurnRiseFraction = 0x428F5C28F5C29000;

Error wrong(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// The chain stores the cutoff as thousandths of the tempo.
uint32_t cutoff_factor_milli(const SubnetRules& rules) {
  return static_cast<uint32_t>((rules.activity_cutoff * 1000 + rules.tempo - 1) / rules.tempo);
}

void put_rules(Storage& storage, uint16_t netuid, const SubnetRules& rules) {
  const auto put = [&](const SubnetMap& item, auto value) {
    put_number(storage, item.key(netuid), value);
  };
  put(items::kTempo, rules.tempo);
  put(items::kKappa, rules.kappa);
  put(items::kRho, uint16_t{10});
  put(items::kImmunityPeriod, rules.immunity_period);
  put(items::kMinAllowedWeights, rules.min_allowed_weights);
  put(items::kMaxAllowedUids, rules.max_allowed_uids);
  put(items::kMaxAllowedValidators, rules.max_allowed_validators);
  put(kMinNonImmuneUids, rules.min_non_immune_uids);
  put(kImmuneOwnerUidsLimit, uint16_t{1});
  put(items::kWeightsSetRateLimit, rules.weights_rate_limit);
  put(items::kWeightsVersionKey, rules.weights_version_key);
  put(items::kServingRateLimit, rules.serving_rate_limit);
  put(items::kActivityCutoff,
      static_cast<uint16_t>(std::min<uint64_t>(rules.activity_cutoff, 65'535)));
  put(items::kActivityCutoffFactorMilli, cutoff_factor_milli(rules));
  put(items::kBurn, rules.burn_rao);
  put(items::kMinBurn, rules.min_burn_rao);
  put(items::kMaxBurn, rules.max_burn_rao);
  put(kBurnHalfLife, rules.burn_half_life);
  storage.put(kBurnIncreaseMult.key(netuid),
              Encoder().number(kBurnRiseFraction).number(kBurnRiseWhole).done());
  put(items::kBondsMovingAverage, rules.bonds_moving_average);
  put(items::kBondsPenalty, rules.bonds_penalty);
  put(kAlphaSigmoidSteepness, int16_t{1000});
  storage.put(items::kAlphaValues.key(netuid),
              Encoder().number(rules.alpha_low).number(rules.alpha_high).done());
  put(items::kRegistrationAllowed, rules.registration_allowed);
  put(items::kCommitRevealEnabled, rules.commit_reveal_enabled);
  put(kRevealPeriodEpochs, rules.commit_reveal_epochs);
  put(items::kLiquidAlphaOn, rules.liquid_alpha_enabled);
  put(items::kYuma3On, rules.yuma3);
}

// What holds for all subnets.
void put_globals(Storage& storage, const Genesis& genesis) {
  put_number(storage, kStakeThreshold.key(), genesis.rules.stake_threshold_rao);
  put_number(storage, kSubnetOwnerCut.key(), genesis.rules.owner_cut);
  put_number(storage, kBlockEmission.key(), genesis.emission_rao_per_block);
  put_number(storage, kTaoWeight.key(), uint64_t{0});  // There is no root network.
  put_number(storage, kCommitmentSpace.key(), kCommitmentSpaceMax);
  put_number(storage, kMaxDelegateTake.key(), kDefaultTake);
  put_number(storage, kMinDelegateTake.key(), uint16_t{0});
  put_number(storage, kCommitRevealVersion.key(), kTimelockedVersion);
  put_number(storage, kSubnetLimit.key(), uint16_t{128});
  put_number(storage, kNetworkMinLockCost.key(), kLockCostRao);
  put_number(storage, kNetworkLastLockCost.key(), kLockCostRao);
  put_number(storage, kLockReductionInterval.key(), kLockReductionBlocks);
  put_number(storage, kNetworkRateLimit.key(), uint64_t{0});
  put_number(storage, kStartCallDelay.key(), uint64_t{0});
  put_account(storage, kSudoKey.key(), genesis.sudo);
  const auto& beacon = genesis.beacon ? *genesis.beacon : timelock::Beacon::quicknet();
  storage.put(kBeaconConfig.key(), encoded(beacon_config(beacon)));
}

void read_rules(StrictObject object, SubnetRules& rules, Result<void>& outcome) {
  object.read_optional("tempo", rules.tempo);
  object.read_optional("kappa", rules.kappa);
  object.read_optional("immunity_period", rules.immunity_period);
  object.read_optional("min_allowed_weights", rules.min_allowed_weights);
  object.read_optional("max_allowed_uids", rules.max_allowed_uids);
  object.read_optional("max_allowed_validators", rules.max_allowed_validators);
  object.read_optional("min_non_immune_uids", rules.min_non_immune_uids);
  object.read_optional("weights_rate_limit", rules.weights_rate_limit);
  object.read_optional("weights_version_key", rules.weights_version_key);
  object.read_optional("serving_rate_limit", rules.serving_rate_limit);
  object.read_optional("activity_cutoff", rules.activity_cutoff);
  object.read_optional("stake_threshold_rao", rules.stake_threshold_rao);
  object.read_optional("burn_rao", rules.burn_rao);
  object.read_optional("min_burn_rao", rules.min_burn_rao);
  object.read_optional("max_burn_rao", rules.max_burn_rao);
  object.read_optional("burn_half_life", rules.burn_half_life);
  object.read_optional("bonds_moving_average", rules.bonds_moving_average);
  object.read_optional("bonds_penalty", rules.bonds_penalty);
  object.read_optional("owner_cut", rules.owner_cut);
  object.read_optional("alpha_low", rules.alpha_low);
  object.read_optional("alpha_high", rules.alpha_high);
  object.read_optional("registration_allowed", rules.registration_allowed);
  object.read_optional("liquid_alpha_enabled", rules.liquid_alpha_enabled);
  object.read_optional("yuma3", rules.yuma3);
  object.read_optional("commit_reveal_enabled", rules.commit_reveal_enabled);
  object.read_optional("commit_reveal_epochs", rules.commit_reveal_epochs);
  outcome = object.finish();
}

AccountId read_account(StrictObject& object, const char* key) {
  std::string text;
  object.read(key, text);
  const auto account = AccountId::from_ss58(text);
  if (!account) object.fail(key, "'" + text + "' is not an SS58 address");
  return account.value_or(AccountId{});
}

Result<std::vector<Endowment>> read_accounts(const nlohmann::json& accounts) {
  std::vector<Endowment> out;
  for (const auto& [text, amount] : accounts.items()) {
    const auto account = AccountId::from_ss58(text);
    if (!account) return wrong("accounts: '" + text + "' is not an SS58 address");
    if (!amount.is_number_unsigned()) return wrong("accounts." + text + ": must be whole rao");
    out.push_back({*account, amount.get<uint64_t>()});
  }
  return out;
}

void read_beacon(StrictObject& object, Genesis& genesis) {
  std::string beacon = "own";
  object.read_optional("beacon", beacon);
  if (beacon == "quicknet") {
    genesis.beacon = timelock::Beacon::quicknet();
  } else if (beacon != "own") {
    object.fail("beacon", "must be \"own\" or \"quicknet\"");
  }
}

}  // namespace

void add_subnet(Storage& storage, uint64_t block, const NewSubnet& subnet,
                const SubnetRules& rules) {
  const uint16_t netuid = subnet.netuid;
  const auto put = [&](const SubnetMap& item, auto value) {
    put_number(storage, item.key(netuid), value);
  };
  put_rules(storage, netuid, rules);
  put(items::kNetworksAdded, true);
  put(items::kSubnetworkN, uint16_t{0});
  put(kSubtokenEnabled, subnet.started);
  if (subnet.started) put(kFirstEmissionBlock, block + 1);
  put(kNetworkRegisteredAt, block);
  put(kAlphaOutEmission, subnet.emission_rao_per_block);
  put(kTaoInEmission, subnet.emission_rao_per_block);
  put(kOwnerCutEnabled, true);
  put(kTransferToggle, true);
  put(items::kLastEpochBlock, block - std::min<uint64_t>(block, netuid % rules.tempo));
  put(items::kSubnetEpochIndex, uint64_t{0});
  const Bytes count = items::kTotalNetworks.key();
  put_number(storage, count, static_cast<uint16_t>(get_number<uint16_t>(storage, count) + 1));
  put_account(storage, items::kSubnetOwner.key(netuid), subnet.owner_coldkey);
  put_account(storage, items::kSubnetOwnerHotkey.key(netuid), subnet.owner_hotkey);
  place_neuron(storage, block, netuid, subnet.owner_hotkey, subnet.owner_coldkey);
}

Genesis development_genesis() {
  const auto account = [](const char* uri) { return Keypair::from_uri(uri).value().account(); };
  Genesis genesis;
  genesis.chain = "Muster development network";
  genesis.owner_coldkey = genesis.sudo = account("//Alice");
  genesis.owner_hotkey = account("//Alice//hot");
  genesis.rules.tempo = 20;
  genesis.rules.weights_rate_limit = 5;
  genesis.rules.serving_rate_limit = 5;
  genesis.rules.burn_rao = genesis.rules.min_burn_rao;
  for (const char* uri : {"//Alice", "//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie"}) {
    genesis.accounts.push_back({account(uri), 1'000'000 * kRaoPerTao});
  }
  return genesis;
}

Genesis with_beacon(Genesis genesis, const timelock::BeaconKey& own) {
  if (!genesis.beacon) {
    genesis.beacon = timelock::Beacon{own, 1, static_cast<uint64_t>(genesis.time.unix_ms / 1000)};
  }
  return genesis;
}

Storage genesis_storage(const Genesis& genesis) {
  CHECK(check_genesis(genesis).has_value());
  Storage storage;
  uint64_t issuance_rao = 0;
  for (const Endowment& one : genesis.accounts) {
    AccountInfo info;
    info.providers = 1;
    info.free_rao = one.free_rao;
    put_account_info(storage, one.account, info);
    issuance_rao += one.free_rao;
  }
  mint_issuance(storage, issuance_rao);
  put_globals(storage, genesis);
  add_subnet(storage, 0,
             {genesis.netuid, genesis.owner_coldkey, genesis.owner_hotkey,
              genesis.emission_rao_per_block, true},
             genesis.rules);
  put_number(storage, items::kNumber.key(), uint32_t{0});
  put_number(storage, items::kNow.key(), static_cast<uint64_t>(genesis.time.unix_ms));
  storage.take_changes();
  return storage;
}

Result<void> check_genesis(const Genesis& genesis) {
  const SubnetRules& rules = genesis.rules;
  if (genesis.netuid == 0) return wrong("netuid 0 is the root network: choose 1 or more");
  if (genesis.time.unix_ms < 0) return wrong("time_unix_ms must not be negative");
  if (rules.tempo == 0) return wrong("rules.tempo must be at least 1 block");
  if (rules.commit_reveal_epochs == 0 || rules.commit_reveal_epochs > 100) {
    return wrong("rules.commit_reveal_epochs must be 1 to 100");
  }
  if (rules.activity_cutoff > 1'000'000) return wrong("rules.activity_cutoff is over 1,000,000");
  if (rules.max_allowed_uids == 0 || rules.max_allowed_uids > kEpochNeuronsMax) {
    return wrong("rules.max_allowed_uids must be 1 to " + std::to_string(kEpochNeuronsMax));
  }
  if (rules.min_burn_rao > rules.max_burn_rao) return wrong("rules.min_burn_rao > max_burn_rao");
  if (rules.burn_rao < rules.min_burn_rao || rules.burn_rao > rules.max_burn_rao) {
    return wrong("rules.burn_rao must lie within min_burn_rao and max_burn_rao");
  }
  if (rules.bonds_moving_average > 1'000'000)
    return wrong("rules.bonds_moving_average > 1,000,000");
  if (rules.alpha_low > rules.alpha_high) return wrong("rules.alpha_low > alpha_high");
  if (genesis.emission_rao_per_block > kRaoPerTao * 1000) {
    return wrong("emission_rao_per_block is over 1,000 TAO");
  }
  std::set<AccountId> seen;
  uint64_t issuance_rao = 0;
  for (const Endowment& one : genesis.accounts) {
    if (!seen.insert(one.account).second) return wrong(one.account.ss58() + " is named twice");
    if (one.free_rao < kExistentialDepositRao) {
      return wrong(one.account.ss58() + ": less than the existential deposit of 500 rao");
    }
    if (one.free_rao > kIssuanceMaxRao - issuance_rao) {
      return wrong("accounts hold more than 21,000,000 TAO");
    }
    issuance_rao += one.free_rao;
  }
  return {};
}

Result<Genesis> parse_genesis(std::string_view json) {
  TRY(const nlohmann::json text, common::parse_json_object(json));
  Genesis genesis;
  StrictObject object(text, "genesis");
  object.read_optional("chain", genesis.chain);
  uint64_t time_unix_ms = 0;
  object.read_optional("time_unix_ms", time_unix_ms);
  if (time_unix_ms >> 52) object.fail("time_unix_ms", "is not a time");
  genesis.time.unix_ms = static_cast<int64_t>(time_unix_ms);
  object.read("netuid", genesis.netuid);
  genesis.owner_coldkey = read_account(object, "owner_coldkey");
  genesis.owner_hotkey = read_account(object, "owner_hotkey");
  genesis.sudo = text.contains("sudo") ? read_account(object, "sudo") : genesis.owner_coldkey;
  read_beacon(object, genesis);
  object.read_optional("emission_rao_per_block", genesis.emission_rao_per_block);
  if (text.contains("rules")) {
    Result<void> outcome;
    read_rules(object.child("rules"), genesis.rules, outcome);
    TRY_VOID(std::move(outcome));
  }
  object.child("accounts");
  TRY_VOID(object.finish());
  TRY(genesis.accounts, read_accounts(text.at("accounts")));
  TRY_VOID(check_genesis(genesis));
  return genesis;
}

}  // namespace chain::embedded
