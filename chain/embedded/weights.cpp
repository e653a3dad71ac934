#include "chain/embedded/weights.h"

#include <algorithm>

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"
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

bool only_self(const substrate::SetWeights& call, uint16_t uid) {
  return call.uids.size() == 1 && call.uids[0] == uid;
}

// Who may set weights at all, and whether it is too soon.
Outcome check_sender(const Storage& storage, uint64_t block, const AccountId& hotkey,
                     const substrate::SetWeights& call, uint16_t uid) {
  const uint16_t netuid = call.netuid;
  const bool owner = is_owner(storage, netuid, hotkey);
  const auto threshold_rao = get_number<uint64_t>(storage, kStakeThreshold.key());
  if (!owner && hotkey_alpha_rao(storage, hotkey, netuid) < threshold_rao) {
    return refuse(SubtensorError::kNotEnoughStakeToSetWeights);
  }
  const auto version = get_number<uint64_t>(storage, items::kWeightsVersionKey.key(netuid));
  if (version != 0 && call.version_key < version) {
    return refuse(SubtensorError::kIncorrectWeightVersionKey);
  }
  const auto updates = get_numbers<uint64_t>(storage, items::kLastUpdate.key(netuid));
  const auto limit = get_number<uint64_t>(storage, items::kWeightsSetRateLimit.key(netuid));
  if (updates[uid] != 0 && block - updates[uid] < limit) {
    return refuse(SubtensorError::kSettingWeightsTooFast);
  }
  if (!only_self(call, uid) && !owner && !has_permit(storage, netuid, uid)) {
    return refuse(SubtensorError::kNeuronNoValidatorPermit);
  }
  return {};
}

}  // namespace

Outcome check_weights(const Storage& storage, uint64_t block, const AccountId& hotkey,
                      const substrate::SetWeights& call) {
  const uint16_t netuid = call.netuid;
  if (get_number<bool>(storage, items::kCommitRevealEnabled.key(netuid))) {
    return refuse(SubtensorError::kCommitRevealEnabled);
  }
  if (netuid == 0) return refuse(SubtensorError::kCanNotSetRootNetworkWeights);
  if (call.uids.size() != call.values.size()) {
    return refuse(SubtensorError::kWeightVecNotEqualSize);
  }
  if (!get_number<bool>(storage, items::kNetworksAdded.key(netuid))) {
    return refuse(SubtensorError::kSubnetNotExists);
  }
  const uint16_t count = neuron_count(storage, netuid);
  if (call.uids.size() > count) return refuse(SubtensorError::kUidsLengthExceedUidsInSubNet);
  const auto uid = uid_of(storage, netuid, hotkey);
  if (!uid) return refuse(SubtensorError::kHotKeyNotRegisteredInSubNet);
  if (auto error = check_sender(storage, block, hotkey, call, *uid)) return error;
  std::vector<uint16_t> sorted = call.uids;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return refuse(SubtensorError::kDuplicateUids);
  }
  if (!sorted.empty() && sorted.back() >= count) {
    return refuse(SubtensorError::kUidVecContainInvalidOne);
  }
  const auto least = get_number<uint16_t>(storage, items::kMinAllowedWeights.key(netuid));
  if (call.uids.size() < std::min(count, least) && !only_self(call, *uid)) {
    return refuse(SubtensorError::kWeightVecLengthIsLow);
  }
  return {};
}

Outcome set_weights(const Context& context, const AccountId& hotkey,
                    const substrate::SetWeights& call) {
  Storage& storage = context.storage;
  if (auto error = check_weights(storage, context.block, hotkey, call)) return error;
  const uint16_t uid = *uid_of(storage, call.netuid, hotkey);
  const std::vector<uint16_t> scaled = max_upscale(call.values);
  std::vector<Weight> row;
  for (size_t i = 0; i < scaled.size(); ++i) row.push_back({{call.uids[i]}, scaled[i]});
  put_row(storage, items::kWeights.key(call.netuid, uid), row);
  auto updates = get_numbers<uint64_t>(storage, items::kLastUpdate.key(call.netuid));
  updates[uid] = context.block;
  put_numbers(storage, items::kLastUpdate.key(call.netuid), updates);
  context.emit(substrate::WeightsSet{call.netuid, uid});
  return {};
}

std::vector<Weight> get_row(const Storage& storage, const Bytes& key) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return {};
  substrate::Decoder in(*value);
  auto row = in.sequence(substrate::kWeightsMax, 4, [](substrate::Decoder& entry) {
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
