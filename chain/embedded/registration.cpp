#include "chain/embedded/registration.h"

#include <algorithm>
#include <tuple>

#include "chain/embedded/balances.h"
#include "chain/embedded/items.h"
#include "chain/embedded/subtensor_events.h"

namespace chain::embedded {
namespace {

using substrate::Uint128;

// base^exponent as a 32-bit fraction; 2^32 is one.
uint64_t power_q32(uint64_t base, uint16_t exponent) {
  uint64_t result = uint64_t{1} << 32;
  for (uint32_t left = exponent; left > 0; left >>= 1) {
    if (left & 1) result = static_cast<uint64_t>((Uint128{result} * base) >> 32);
    base = static_cast<uint64_t>((Uint128{base} * base) >> 32);
  }
  return result;
}

void put_burn(Storage& storage, uint16_t netuid, uint64_t burn_rao) {
  const auto least = get_number<uint64_t>(storage, items::kMinBurn.key(netuid));
  const auto most = get_number<uint64_t>(storage, items::kMaxBurn.key(netuid));
  put_number(storage, items::kBurn.key(netuid), std::clamp(burn_rao, least, std::max(least, most)));
}

// Puts `value` at `uid` of a per-subnet vector, or behind it.
template <typename T>
void set_at(Storage& storage, const SubnetMap& item, uint16_t netuid, uint16_t uid, T value) {
  auto values = get_numbers<T>(storage, item.key(netuid));
  if (values.size() <= uid) values.resize(uid + size_t{1});
  values[uid] = value;
  put_numbers(storage, item.key(netuid), values);
}

void reset_neuron(Storage& storage, uint64_t block, uint16_t netuid, uint16_t uid) {
  set_at<bool>(storage, items::kActive, netuid, uid, true);
  set_at<bool>(storage, items::kValidatorPermit, netuid, uid, false);
  set_at<uint64_t>(storage, items::kLastUpdate, netuid, uid, block);
  set_at<uint64_t>(storage, items::kEmission, netuid, uid, 0);
  for (const SubnetMap& item : {items::kConsensus, items::kIncentive, items::kDividends,
                                items::kValidatorTrust, items::kStakeWeight}) {
    set_at<uint16_t>(storage, item, netuid, uid, 0);
  }
  put_number(storage, items::kBlockAtRegistration.key(netuid, uid), block);
}

// What others think of the one who was here is nothing to the one who comes.
void zero_weights_to(Storage& storage, uint16_t netuid, uint16_t uid) {
  for (uint16_t row = 0; row < neuron_count(storage, netuid); ++row) {
    const Bytes key = items::kWeights.key(netuid, row);
    const Bytes* value = storage.find(key);
    if (value == nullptr) continue;
    substrate::Decoder in(*value);
    substrate::Encoder out;
    const size_t count = in.count(kSequenceMax, 4);
    out.compact(count);
    for (size_t i = 0; i < count; ++i) {
      const auto target = in.number<uint16_t>();
      const auto weight = in.number<uint16_t>();
      out.number(target).number(target == uid ? uint16_t{0} : weight);
    }
    CHECK(in.at_end());
    storage.put(key, std::move(out).done());
  }
}

void remove_neuron(Storage& storage, uint16_t netuid, uint16_t uid) {
  const auto hotkey = get_account(storage, items::kKeys.key(netuid, uid));
  CHECK(hotkey);
  storage.erase(items::kUids.key(netuid, *hotkey));
  storage.erase(items::kIsNetworkMember.key(*hotkey, netuid));
  storage.erase(items::kAxons.key(netuid, *hotkey));
  storage.erase(items::kWeights.key(netuid, uid));
  storage.erase(items::kBonds.key(netuid, uid));
  zero_weights_to(storage, netuid, uid);
}

void own_hotkey(Storage& storage, const AccountId& hotkey, const AccountId& coldkey) {
  if (get_account(storage, items::kOwner.key(hotkey))) return;
  put_account(storage, items::kOwner.key(hotkey), coldkey);
  for (const auto& item : {items::kOwnedHotkeys, items::kStakingHotkeys}) {
    auto hotkeys = get_accounts(storage, item.key(coldkey));
    if (std::find(hotkeys.begin(), hotkeys.end(), hotkey) != hotkeys.end()) continue;
    hotkeys.push_back(hotkey);
    put_accounts(storage, item.key(coldkey), hotkeys);
  }
}

struct Candidate {
  uint64_t emission_rao;
  uint64_t registered_at;
  uint16_t uid;
  bool immune;
  auto rank() const { return std::tie(emission_rao, registered_at, uid); }
};

// Uids that are never pruned: the owner's own hotkey, and its coldkey's oldest up to a limit.
std::vector<uint16_t> immortal_uids(const Storage& storage, uint16_t netuid) {
  std::vector<uint16_t> immortal;
  const auto coldkey = get_account(storage, items::kSubnetOwner.key(netuid));
  std::vector<std::pair<uint64_t, uint16_t>> owned;
  if (coldkey) {
    for (const AccountId& hotkey : get_accounts(storage, items::kOwnedHotkeys.key(*coldkey))) {
      const auto uid = uid_of(storage, netuid, hotkey);
      if (!uid) continue;
      const Bytes since = items::kBlockAtRegistration.key(netuid, *uid);
      owned.emplace_back(get_number<uint64_t>(storage, since), *uid);
    }
  }
  std::sort(owned.begin(), owned.end());
  const auto limit = get_number<uint16_t>(storage, kImmuneOwnerUidsLimit.key(netuid));
  for (size_t i = 0; i < owned.size() && i < limit; ++i) immortal.push_back(owned[i].second);
  const auto hotkey = get_account(storage, items::kSubnetOwnerHotkey.key(netuid));
  if (hotkey) {
    if (const auto uid = uid_of(storage, netuid, *hotkey)) immortal.push_back(*uid);
  }
  return immortal;
}

}  // namespace

std::optional<uint16_t> uid_of(const Storage& storage, uint16_t netuid, const AccountId& hotkey) {
  const Bytes key = items::kUids.key(netuid, hotkey);
  if (storage.find(key) == nullptr) return std::nullopt;
  return get_number<uint16_t>(storage, key);
}

uint16_t neuron_count(const Storage& storage, uint16_t netuid) {
  return get_number<uint16_t>(storage, items::kSubnetworkN.key(netuid));
}

uint32_t decay_factor(uint16_t half_life) {
  if (half_life == 0) return ~uint32_t{0};
  const uint64_t half = uint64_t{1} << 31;
  uint64_t low = 0;
  uint64_t high = uint64_t{1} << 32;  // power(low) <= half < power(high), always.
  while (high - low > 1) {
    const uint64_t middle = (low + high) / 2;
    (power_q32(middle, half_life) <= half ? low : high) = middle;
  }
  return static_cast<uint32_t>(low);
}

void decay_burn(Storage& storage, uint16_t netuid) {
  const auto burn_rao = get_number<uint64_t>(storage, items::kBurn.key(netuid));
  const auto half_life = get_number<uint16_t>(storage, kBurnHalfLife.key(netuid));
  if (half_life == 0) return;
  const Uint128 product = Uint128{burn_rao} * decay_factor(half_life);
  put_burn(storage, netuid, static_cast<uint64_t>(product >> 32));
}

void raise_burn(Storage& storage, uint16_t netuid) {
  const auto burn_rao = get_number<uint64_t>(storage, items::kBurn.key(netuid));
  const Bytes* value = storage.find(kBurnIncreaseMult.key(netuid));
  CHECK(value != nullptr);
  substrate::Decoder in(*value);
  const auto fraction = in.number<uint64_t>();
  const auto whole = in.number<uint64_t>();
  CHECK(in.at_end());
  const Uint128 raised = Uint128{burn_rao} * whole + ((Uint128{burn_rao} * fraction) >> 64);
  put_burn(storage, netuid, static_cast<uint64_t>(std::min(raised, Uint128{~uint64_t{0}})));
}

std::optional<uint16_t> uid_to_prune(const Storage& storage, uint16_t netuid, uint64_t block) {
  const auto immortal = immortal_uids(storage, netuid);
  const auto emission = get_numbers<uint64_t>(storage, items::kEmission.key(netuid));
  const auto immunity = get_number<uint16_t>(storage, items::kImmunityPeriod.key(netuid));
  std::vector<Candidate> candidates;
  for (uint16_t uid = 0; uid < neuron_count(storage, netuid); ++uid) {
    if (std::find(immortal.begin(), immortal.end(), uid) != immortal.end()) continue;
    const auto since = get_number<uint64_t>(storage, items::kBlockAtRegistration.key(netuid, uid));
    candidates.push_back({emission[uid], since, uid, block - since < immunity});
  }
  const auto mortal = std::count_if(candidates.begin(), candidates.end(),
                                    [](const Candidate& one) { return !one.immune; });
  const auto least = get_number<uint16_t>(storage, kMinNonImmuneUids.key(netuid));
  const auto worst = [&](bool immune) -> std::optional<uint16_t> {
    const Candidate* found = nullptr;
    for (const Candidate& one : candidates) {
      if (one.immune == immune && (found == nullptr || one.rank() < found->rank())) found = &one;
    }
    if (found == nullptr) return std::nullopt;
    return found->uid;
  };
  return worst(mortal <= least);
}

Outcome check_register(const Storage& storage, uint64_t block, const AccountId& coldkey,
                       const calls::BurnedRegister& call) {
  const uint16_t netuid = call.netuid;
  if (netuid == 0) return refuse(SubtensorError::kRegistrationNotPermittedOnRootSubnet);
  if (!get_number<bool>(storage, items::kNetworksAdded.key(netuid))) {
    return refuse(SubtensorError::kSubnetNotExists);
  }
  if (!get_number<bool>(storage, items::kRegistrationAllowed.key(netuid))) {
    return refuse(SubtensorError::kSubNetRegistrationDisabled);
  }
  if (uid_of(storage, netuid, call.hotkey)) {
    return refuse(SubtensorError::kHotKeyAlreadyRegisteredInSubNet);
  }
  if (!can_withdraw(storage, coldkey, get_number<uint64_t>(storage, items::kBurn.key(netuid)))) {
    return refuse(SubtensorError::kNotEnoughBalanceToStake);
  }
  const auto owner = get_account(storage, items::kOwner.key(call.hotkey));
  if (owner && *owner != coldkey) return refuse(SubtensorError::kNonAssociatedColdKey);
  const auto slots = get_number<uint16_t>(storage, items::kMaxAllowedUids.key(netuid));
  if (neuron_count(storage, netuid) >= slots && !uid_to_prune(storage, netuid, block)) {
    return refuse(SubtensorError::kNoNeuronIdAvailable);
  }
  return {};
}

uint16_t place_neuron(Storage& storage, uint64_t block, uint16_t netuid, const AccountId& hotkey,
                      const AccountId& coldkey) {
  own_hotkey(storage, hotkey, coldkey);
  uint16_t uid = neuron_count(storage, netuid);
  if (uid < get_number<uint16_t>(storage, items::kMaxAllowedUids.key(netuid))) {
    put_number(storage, items::kSubnetworkN.key(netuid), static_cast<uint16_t>(uid + 1));
  } else {
    const auto pruned = uid_to_prune(storage, netuid, block);
    CHECK(pruned);
    uid = *pruned;
    remove_neuron(storage, netuid, uid);
  }
  put_account(storage, items::kKeys.key(netuid, uid), hotkey);
  put_number(storage, items::kUids.key(netuid, hotkey), uid);
  put_number(storage, items::kIsNetworkMember.key(hotkey, netuid), true);
  reset_neuron(storage, block, netuid, uid);
  return uid;
}

Outcome burned_register(const Context& context, const AccountId& coldkey,
                        const calls::BurnedRegister& call) {
  Storage& storage = context.storage;
  if (auto error = check_register(storage, context.block, coldkey, call)) return error;
  const auto burn_rao = get_number<uint64_t>(storage, items::kBurn.key(call.netuid));
  // The TAO buys alpha, which is destroyed: the pool keeps the TAO, and nobody has anything for it.
  withdraw(storage, coldkey, burn_rao);
  for (const Bytes& key : {kSubnetTao.key(call.netuid), items::kTotalStake.key(),
                           kBurnedForRegistration.key(call.netuid)}) {
    put_number(storage, key, get_number<uint64_t>(storage, key) + burn_rao);
  }
  const uint16_t uid = place_neuron(storage, context.block, call.netuid, call.hotkey, coldkey);
  raise_burn(storage, call.netuid);
  context.emit(events::NeuronRegistered{call.netuid, uid, call.hotkey});
  return {};
}

Outcome register_limit(const Context& context, const AccountId& coldkey,
                       const calls::RegisterLimit& call) {
  const auto burn_rao = get_number<uint64_t>(context.storage, items::kBurn.key(call.netuid));
  if (burn_rao > call.limit_price) return refuse(SubtensorError::kRegistrationPriceLimitExceeded);
  return burned_register(context, coldkey, {call.netuid, call.hotkey});
}

Outcome try_associate_hotkey(const Context& context, const AccountId& coldkey,
                             const calls::Hotkey& call) {
  const auto owner = get_account(context.storage, items::kOwner.key(call.hotkey));
  if (owner && *owner != coldkey) return refuse(SubtensorError::kNonAssociatedColdKey);
  own_hotkey(context.storage, call.hotkey, coldkey);
  return {};
}

}  // namespace chain::embedded
