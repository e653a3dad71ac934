#include "chain/embedded/consistency.h"

#include <algorithm>

#include "chain/embedded/balances.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/runtime.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/weights.h"
#include "chain/embedded/yuma.h"

namespace chain::embedded {
namespace {

using Fault = std::optional<std::string>;

std::string named(const StorageRow& row) {
  return std::string(row.prefix) + "." + std::string(row.name);
}

// Items that the ledger writes anew in every block from what it knows better.
bool is_the_ledgers(const Bytes& key) {
  return starts_with(key, items::kNumber.key()) || starts_with(key, items::kParentHash.key()) ||
         starts_with(key, substrate::storage_prefix("System", "BlockHash")) ||
         starts_with(key, items::kNow.key());
}

Fault value_fault(const Bytes& key, const Bytes* value) {
  const StorageRow* row = find_storage(key);
  if (row == nullptr) return std::nullopt;
  if (is_the_ledgers(key)) return named(*row) + " is the ledger's own";
  if (value == nullptr || row->step_over == nullptr) return std::nullopt;
  Decoder in(*value);
  row->step_over(in);
  if (!in.at_end()) return named(*row) + ": the value is not of its type";
  return std::nullopt;
}

template <typename T>
bool has_size(const Storage& storage, const SubnetMap& item, uint16_t netuid, size_t size) {
  return get_numbers<T>(storage, item.key(netuid)).size() == size;
}

bool vectors_fit(const Storage& storage, uint16_t netuid, uint16_t count) {
  const auto shares = {items::kConsensus, items::kIncentive, items::kDividends,
                       items::kValidatorTrust, items::kStakeWeight};
  return std::all_of(shares.begin(), shares.end(),
                     [&](const SubnetMap& item) {
                       return has_size<uint16_t>(storage, item, netuid, count);
                     }) &&
         has_size<bool>(storage, items::kActive, netuid, count) &&
         has_size<bool>(storage, items::kValidatorPermit, netuid, count) &&
         has_size<uint64_t>(storage, items::kEmission, netuid, count) &&
         has_size<uint64_t>(storage, items::kLastUpdate, netuid, count);
}

Fault neuron_fault(const Storage& storage, uint16_t netuid, uint16_t uid, uint16_t count) {
  const std::string who = "neuron " + std::to_string(uid) + " of subnet " + std::to_string(netuid);
  const auto hotkey = get_account(storage, items::kKeys.key(netuid, uid));
  if (!hotkey || uid_of(storage, netuid, *hotkey) != uid) {
    return who + ": Keys and Uids do not name each other";
  }
  if (!get_account(storage, items::kOwner.key(*hotkey))) return who + " has no Owner";
  for (const auto& item : {items::kWeights, items::kBonds}) {
    for (const Weight& one : get_row(storage, item.key(netuid, uid))) {
      if (one.uid.index >= count) return who + ": a weight or bond on a uid that does not exist";
    }
  }
  return std::nullopt;
}

Fault rules_fault(const Storage& storage, uint16_t netuid) {
  const auto number = [&](const SubnetMap& item) {
    return get_number<uint64_t>(storage, item.key(netuid));
  };
  const std::string subnet = "subnet " + std::to_string(netuid);
  if (get_number<uint16_t>(storage, items::kTempo.key(netuid)) == 0) return subnet + ": Tempo is 0";
  if (storage.find(items::kAlphaValues.key(netuid)) == nullptr ||
      storage.find(kBurnIncreaseMult.key(netuid)) == nullptr) {
    return subnet + " lacks AlphaValues or BurnIncreaseMult";
  }
  if (!get_account(storage, items::kSubnetOwner.key(netuid)) ||
      !get_account(storage, items::kSubnetOwnerHotkey.key(netuid))) {
    return subnet + " has no owner";
  }
  if (number(items::kBondsMovingAverage) > 1'000'000) return subnet + ": BondsMovingAverage > 1e6";
  const uint64_t pending_rao =
      number(kPendingServer) + number(kPendingValidator) + number(kPendingOwnerCut);
  if (pending_rao > number(kSubnetAlphaOut) || number(kSubnetAlphaOut) > number(kSubnetTao)) {
    return subnet + ": SubnetTAO must cover SubnetAlphaOut, and that what is pending";
  }
  return std::nullopt;
}

Fault subnet_fault(const Storage& storage, uint16_t netuid) {
  const uint16_t count = neuron_count(storage, netuid);
  if (count > kEpochNeuronsMax) return "SubnetworkN is over the most that there may be";
  if (!vectors_fit(storage, netuid, count)) {
    return "subnet " + std::to_string(netuid) + ": a vector has not SubnetworkN numbers";
  }
  for (uint16_t uid = 0; uid < count; ++uid) {
    if (auto fault = neuron_fault(storage, netuid, uid, count)) return fault;
  }
  return rules_fault(storage, netuid);
}

// Rao in accounts and pools; nothing if there are more than there can be.
std::optional<uint64_t> issuance(const Storage& storage) {
  Uint128 sum_rao = 0;
  const Bytes accounts = items::kAccount.prefix();
  for (const Bytes& key : keys_under(storage.entries(), accounts, std::nullopt, kSequenceMax)) {
    sum_rao += get<AccountRecord>(storage, key).data.free;
  }
  for (const uint16_t netuid : subnets(storage)) {
    sum_rao += get_number<uint64_t>(storage, kSubnetTao.key(netuid));
  }
  if (sum_rao > kIssuanceMaxRao) return std::nullopt;
  return static_cast<uint64_t>(sum_rao);
}

}  // namespace

std::optional<std::string> storage_fault(Storage& storage, size_t mark) {
  for (const Bytes& key : storage.changed_since(mark)) {
    if (auto fault = value_fault(key, storage.find(key))) return fault;
  }
  for (const uint16_t netuid : subnets(storage)) {
    if (auto fault = subnet_fault(storage, netuid)) return fault;
  }
  const auto issuance_rao = issuance(storage);
  if (!issuance_rao) return "there are more than 21,000,000 TAO then";
  const uint64_t before_rao = total_issuance_rao(storage);
  if (*issuance_rao > before_rao) mint_issuance(storage, *issuance_rao - before_rao);
  if (*issuance_rao < before_rao) burn_issuance(storage, before_rao - *issuance_rao);
  return std::nullopt;
}

}  // namespace chain::embedded
