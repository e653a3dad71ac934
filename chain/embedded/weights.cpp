#include "chain/embedded/weights.h"

#include <algorithm>

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/subtensor_events.h"
#include "chain/embedded/yuma.h"

namespace chain::embedded {
namespace {

bool is_owner(const Storage& storage, uint16_t netuid, const AccountId& hotkey) {
  return get_account(storage, items::kSubnetOwnerHotkey.key(netuid)) == hotkey;
}

bool has_permit(const Storage& storage, uint16_t netuid, uint16_t uid) {
  const auto permits = get_numbers<bool>(storage, items::kValidatorPermit.key(netuid));
  return uid < permits.size() && permits[uid];
}

bool only_self(const calls::SetWeights& call, uint16_t uid) {
  return call.dests.size() == 1 && call.dests[0] == uid;
}

// The weights themselves.
Outcome check_row(const Storage& storage, const calls::SetWeights& call, uint16_t uid) {
  const uint16_t count = neuron_count(storage, call.netuid);
  std::vector<uint16_t> sorted = call.dests;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return refuse(SubtensorError::kDuplicateUids);
  }
  if (!sorted.empty() && sorted.back() >= count) {
    return refuse(SubtensorError::kUidVecContainInvalidOne);
  }
  const auto least = get_number<uint16_t>(storage, items::kMinAllowedWeights.key(call.netuid));
  if (call.dests.size() < std::min(count, least) && !only_self(call, uid)) {
    return refuse(SubtensorError::kWeightVecLengthIsLow);
  }
  return {};
}

// All that is asked of weights, set or revealed; of the latter, not how lately others were.
Outcome check(const Storage& storage, uint64_t block, const AccountId& hotkey,
              const calls::SetWeights& call, bool revealed) {
  const uint16_t netuid = call.netuid;
  if (netuid == 0) return refuse(SubtensorError::kCanNotSetRootNetworkWeights);
  if (call.dests.size() != call.weights.size()) {
    return refuse(SubtensorError::kWeightVecNotEqualSize);
  }
  if (!get_number<bool>(storage, items::kNetworksAdded.key(netuid))) {
    return refuse(SubtensorError::kSubnetNotExists);
  }
  if (call.dests.size() > neuron_count(storage, netuid)) {
    return refuse(SubtensorError::kUidsLengthExceedUidsInSubNet);
  }
  if (auto error = check_voter(storage, netuid, hotkey)) return error;
  const uint16_t uid = *uid_of(storage, netuid, hotkey);
  const auto version = get_number<uint64_t>(storage, items::kWeightsVersionKey.key(netuid));
  if (version != 0 && call.version_key < version) {
    return refuse(SubtensorError::kIncorrectWeightVersionKey);
  }
  if (!revealed && too_fast(storage, netuid, uid, block)) {
    return refuse(SubtensorError::kSettingWeightsTooFast);
  }
  if (!only_self(call, uid) && !is_owner(storage, netuid, hotkey) &&
      !has_permit(storage, netuid, uid)) {
    return refuse(SubtensorError::kNeuronNoValidatorPermit);
  }
  return check_row(storage, call, uid);
}

void store(const Context& context, uint16_t uid, const calls::SetWeights& call) {
  const std::vector<uint16_t> scaled = max_upscale(call.weights);
  std::vector<Weight> row;
  for (size_t i = 0; i < scaled.size(); ++i) row.push_back({{call.dests[i]}, scaled[i]});
  put_row(context.storage, items::kWeights.key(call.netuid, uid), row);
  context.emit(events::WeightsSet{call.netuid, uid});
}

}  // namespace

Outcome check_voter(const Storage& storage, uint16_t netuid, const AccountId& hotkey) {
  if (!get_number<bool>(storage, items::kNetworksAdded.key(netuid))) {
    return refuse(SubtensorError::kSubnetNotExists);
  }
  if (!uid_of(storage, netuid, hotkey)) return refuse(SubtensorError::kHotKeyNotRegisteredInSubNet);
  const auto threshold_rao = get_number<uint64_t>(storage, kStakeThreshold.key());
  if (!is_owner(storage, netuid, hotkey) &&
      hotkey_alpha_rao(storage, hotkey, netuid) < threshold_rao) {
    return refuse(SubtensorError::kNotEnoughStakeToSetWeights);
  }
  return {};
}

bool too_fast(const Storage& storage, uint16_t netuid, uint16_t uid, uint64_t block) {
  const auto updates = get_numbers<uint64_t>(storage, items::kLastUpdate.key(netuid));
  const auto limit = get_number<uint64_t>(storage, items::kWeightsSetRateLimit.key(netuid));
  return updates[uid] != 0 && block - updates[uid] < limit;
}

void stamp_update(Storage& storage, uint16_t netuid, uint16_t uid, uint64_t block) {
  auto updates = get_numbers<uint64_t>(storage, items::kLastUpdate.key(netuid));
  updates[uid] = block;
  put_numbers(storage, items::kLastUpdate.key(netuid), updates);
}

Outcome check_weights(const Storage& storage, uint64_t block, const AccountId& hotkey,
                      const calls::SetWeights& call) {
  if (get_number<bool>(storage, items::kCommitRevealEnabled.key(call.netuid))) {
    return refuse(SubtensorError::kCommitRevealEnabled);
  }
  return check(storage, block, hotkey, call, /*revealed=*/false);
}

Outcome set_weights(const Context& context, const AccountId& hotkey,
                    const calls::SetWeights& call) {
  if (auto error = check_weights(context.storage, context.block, hotkey, call)) return error;
  const uint16_t uid = *uid_of(context.storage, call.netuid, hotkey);
  store(context, uid, call);
  stamp_update(context.storage, call.netuid, uid, context.block);
  return {};
}

Outcome set_revealed_weights(const Context& context, const AccountId& hotkey,
                             const calls::SetWeights& call) {
  if (auto error = check(context.storage, context.block, hotkey, call, /*revealed=*/true)) {
    return error;
  }
  store(context, *uid_of(context.storage, call.netuid, hotkey), call);
  return {};
}

Outcome set_mechanism_weights(const Context& context, const AccountId& hotkey,
                              const calls::SetMechanismWeights& call) {
  if (call.mecid != 0) return refuse(SubtensorError::kMechanismDoesNotExist);
  return set_weights(context, hotkey, {call.netuid, call.dests, call.weights, call.version_key});
}

std::vector<Weight> get_row(const Storage& storage, const Bytes& key) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return {};
  substrate::Decoder in(*value);
  auto row = in.sequence(kSequenceMax, 4, [](substrate::Decoder& entry) {
    const auto uid = entry.number<uint16_t>();
    return Weight{{uid}, entry.number<uint16_t>()};
  });
  CHECK(in.at_end());
  return row;
}

void put_row(Storage& storage, const Bytes& key, const std::vector<Weight>& row) {
  substrate::Encoder out;
  out.sequence(row, [](substrate::Encoder& entry, const Weight& weight) {
    entry.number(weight.uid.index).number(weight.value);
  });
  storage.put(key, std::move(out).done());
}

}  // namespace chain::embedded
