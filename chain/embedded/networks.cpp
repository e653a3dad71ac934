#include "chain/embedded/networks.h"

#include <algorithm>

#include "chain/embedded/balances.h"
#include "chain/embedded/emission.h"
#include "chain/embedded/genesis.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/subtensor_events.h"

namespace chain::embedded {
namespace {

constexpr uint32_t kFactorMin = 1'000;
constexpr uint32_t kFactorMax = 50'000;

bool exists(const Storage& storage, uint16_t netuid) {
  return get_number<bool>(storage, items::kNetworksAdded.key(netuid));
}

Outcome check_owner(const Storage& storage, uint16_t netuid, const AccountId& coldkey) {
  if (!exists(storage, netuid)) return refuse(SubtensorError::kSubnetNotExists);
  if (get_account(storage, items::kSubnetOwner.key(netuid)) != coldkey) {
    return refuse(SubtensorError::kNotSubnetOwner);
  }
  return {};
}

// The lowest that no subnet has; nothing if there are as many as there may be.
std::optional<uint16_t> free_netuid(const Storage& storage) {
  const auto limit = get_number<uint16_t>(storage, kSubnetLimit.key());
  if (get_number<uint16_t>(storage, items::kTotalNetworks.key()) >= limit) return std::nullopt;
  uint16_t netuid = 1;
  while (exists(storage, netuid)) ++netuid;
  return netuid;
}

SubnetRules new_subnet_rules() {
  SubnetRules rules;
  rules.commit_reveal_enabled = true;
  return rules;
}

}  // namespace

uint64_t lock_cost_rao(const Storage& storage, uint64_t block) {
  const auto least_rao = get_number<uint64_t>(storage, kNetworkMinLockCost.key());
  const auto last_rao = get_number<uint64_t>(storage, kNetworkLastLockCost.key());
  const auto interval = get_number<uint64_t>(storage, kLockReductionInterval.key());
  const auto since = get_number<uint64_t>(storage, kLastRateLimited.key(RateLimitKey{}));
  const uint64_t factor = since == 0 ? 1 : 2;
  const uint64_t step_rao = last_rao / std::max<uint64_t>(interval, 1);
  const uint64_t fall_rao = step_rao * (block - since);
  const uint64_t high_rao = last_rao * factor;
  return std::max(least_rao, high_rao - std::min(high_rao, fall_rao));
}

std::optional<uint64_t> next_epoch_block(const Storage& storage, uint16_t netuid, uint64_t block) {
  const auto tempo = get_number<uint16_t>(storage, items::kTempo.key(netuid));
  if (!exists(storage, netuid) || tempo == 0) return std::nullopt;
  const auto last = get_number<uint64_t>(storage, items::kLastEpochBlock.key(netuid));
  uint64_t next = std::max(last + tempo, block + 1);
  const auto pending = get_number<uint64_t>(storage, items::kPendingEpochAt.key(netuid));
  if (pending > 0) next = std::min(next, std::max(pending, block + 1));
  return next;
}

Outcome register_network(const Context& context, const AccountId& coldkey,
                         const calls::Hotkey& call) {
  Storage& storage = context.storage;
  const Bytes since_key = kLastRateLimited.key(RateLimitKey{});
  const auto since = get_number<uint64_t>(storage, since_key);
  const auto limit = get_number<uint64_t>(storage, kNetworkRateLimit.key());
  if (since != 0 && context.block - since < limit) {
    return refuse(SubtensorError::kNetworkTxRateLimitExceeded);
  }
  const auto owner = get_account(storage, items::kOwner.key(call.hotkey));
  if (owner && *owner != coldkey) return refuse(SubtensorError::kNonAssociatedColdKey);
  const uint64_t cost_rao = lock_cost_rao(storage, context.block);
  if (!can_withdraw(storage, coldkey, cost_rao)) {
    return refuse(SubtensorError::kCannotAffordLockCost);
  }
  const auto netuid = free_netuid(storage);
  if (!netuid) return refuse(SubtensorError::kSubnetLimitReached);
  withdraw(storage, coldkey, cost_rao);
  burn_issuance(storage, cost_rao);
  put_number(storage, since_key, context.block);
  put_number(storage, kNetworkLastLockCost.key(), cost_rao);
  put_number(storage, kSubnetLocked.key(*netuid), cost_rao);
  add_subnet(storage, context.block, {*netuid, coldkey, call.hotkey, 0, false}, new_subnet_rules());
  context.emit(events::NetworkAdded{*netuid, 0});
  return {};
}

Outcome start_call(const Context& context, const AccountId& coldkey, const calls::Netuid& call) {
  Storage& storage = context.storage;
  if (auto error = check_owner(storage, call.netuid, coldkey)) return error;
  const Bytes first = kFirstEmissionBlock.key(call.netuid);
  if (storage.find(first) != nullptr) {
    return refuse(SubtensorError::kFirstEmissionBlockNumberAlreadySet);
  }
  put_number(storage, first, context.block + 1);
  put_number(storage, kSubtokenEnabled.key(call.netuid), true);
  const auto emission_rao = get_number<uint64_t>(storage, kBlockEmission.key());
  put_number(storage, kAlphaOutEmission.key(call.netuid), emission_rao);
  put_number(storage, kTaoInEmission.key(call.netuid), emission_rao);
  context.emit(events::FirstEmissionBlockNumberSet{call.netuid, context.block + 1});
  return {};
}

Outcome set_tempo(const Context& context, const AccountId& coldkey, const calls::SetTempo& call) {
  if (auto error = check_owner(context.storage, call.netuid, coldkey)) return error;
  if (call.tempo < kOwnerTempoMin || call.tempo > kOwnerTempoMax) {
    return refuse(SubtensorError::kTempoOutOfBounds);
  }
  put_number(context.storage, items::kTempo.key(call.netuid), call.tempo);
  put_number(context.storage, items::kLastEpochBlock.key(call.netuid), context.block);
  context.emit(events::TempoSet{call.netuid, call.tempo});
  return {};
}

Outcome set_activity_cutoff_factor(const Context& context, const AccountId& coldkey,
                                   const calls::SetActivityCutoffFactor& call) {
  if (auto error = check_owner(context.storage, call.netuid, coldkey)) return error;
  if (call.factor_milli < kFactorMin || call.factor_milli > kFactorMax) {
    return refuse(SubtensorError::kActivityCutoffFactorMilliOutOfBounds);
  }
  put_number(context.storage, items::kActivityCutoffFactorMilli.key(call.netuid),
             call.factor_milli);
  context.emit(events::ActivityCutoffFactorMilliSet{call.netuid, call.factor_milli});
  return {};
}

Outcome trigger_epoch(const Context& context, const AccountId& coldkey, const calls::Netuid& call) {
  Storage& storage = context.storage;
  if (auto error = check_owner(storage, call.netuid, coldkey)) return error;
  if (get_number<bool>(storage, items::kCommitRevealEnabled.key(call.netuid))) {
    return refuse(SubtensorError::kDynamicTempoBlockedByCommitReveal);
  }
  const Bytes pending = items::kPendingEpochAt.key(call.netuid);
  if (get_number<uint64_t>(storage, pending) > 0) {
    return refuse(SubtensorError::kEpochTriggerAlreadyPending);
  }
  const uint64_t at = context.block + kTriggerBlocks;
  const auto next = next_epoch_block(storage, call.netuid, context.block);
  if (next && *next <= at) return refuse(SubtensorError::kAutoEpochAlreadyImminent);
  put_number(storage, pending, at);
  context.emit(events::EpochTriggered{call.netuid, coldkey, at});
  return {};
}

}  // namespace chain::embedded
