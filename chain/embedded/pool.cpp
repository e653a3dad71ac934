#include "chain/embedded/pool.h"

#include <algorithm>

#include "chain/embedded/balances.h"

namespace chain::embedded {
namespace {

constexpr size_t kDroppedMax = 1000;

PoolRefusal invalid(const Refusal& refusal) {
  if (refusal.kind == Invalid::kMalformed) {
    return {1001, "Extrinsic has invalid format", refusal.text(), refusal};
  }
  return {1010, "Invalid Transaction", refusal.text(), refusal};
}

}  // namespace

tl::expected<Hash, PoolRefusal> Pool::submit(const State& state, const Bytes& extrinsic) {
  const Hash hash = substrate::extrinsic_hash(extrinsic);
  if (contains(hash)) {
    return tl::unexpected(PoolRefusal{1013, "Transaction Already Imported", "0x" + hash.hex(), {}});
  }
  const Validity validity = state.validate(extrinsic);
  if (!validity) return tl::unexpected(invalid(validity.error()));
  if (validity->ahead > kPoolAheadMax) {
    return tl::unexpected(invalid({Invalid::kFuture, 0}));
  }
  if (const auto rival = find(validity->account, validity->nonce)) {
    if ((*rival)->admission.tip_rao >= validity->tip_rao) {
      return tl::unexpected(PoolRefusal{
          1014, "Priority is too low", "another with this nonce waits: raise the tip", {}});
    }
    drop(*rival, {Invalid::kStale, 0});
  }
  if (entries_.size() >= kPoolCountMax || size_bytes_ + extrinsic.size() > kPoolBytesMax) {
    return tl::unexpected(PoolRefusal{1016, "Immediately Dropped", "the pool is full", {}});
  }
  const auto at = entries_.insert(entries_.end(), {extrinsic, hash, *validity});
  by_hash_[hash] = at;
  by_account_[validity->account][validity->nonce] = at;
  size_bytes_ += extrinsic.size();
  return hash;
}

std::vector<Bytes> Pool::ready(const State& state) const {
  std::map<AccountId, uint32_t> next;
  std::vector<Bytes> out;
  for (const Entry& entry : entries_) {
    const AccountId& account = entry.admission.account;
    const auto [at, is_new] = next.try_emplace(account, 0);
    if (is_new) at->second = account_info(state.storage(), account).nonce;
    // What came before its time goes together with the one it waited for.
    const auto& waiting = by_account_.at(account);
    for (auto one = waiting.find(entry.admission.nonce);
         one != waiting.end() && one->first == at->second; ++one) {
      out.push_back(one->second->bytes);
      ++at->second;
    }
  }
  return out;
}

void Pool::settle(const State& state, const std::vector<Bytes>& offered,
                  const std::vector<std::optional<Refusal>>& refused) {
  CHECK(offered.size() == refused.size());
  for (size_t i = 0; i < offered.size(); ++i) {
    const auto found = by_hash_.find(substrate::extrinsic_hash(offered[i]));
    if (found == by_hash_.end()) continue;
    if (!refused[i]) {
      forget(found->second);
    } else if (refused[i]->kind != Invalid::kFuture &&
               refused[i]->kind != Invalid::kExhaustsResources) {
      drop(found->second, *refused[i]);
    }
  }
  const uint64_t next = uint64_t{state.head().header.number} + 1;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto entry = at++;
    const Admission& admission = entry->admission;
    if (admission.death <= next) {
      drop(entry, {Invalid::kAncientBirthBlock, 0});
    } else if (admission.nonce < account_info(state.storage(), admission.account).nonce) {
      drop(entry, {Invalid::kStale, 0});
    }
  }
}

uint32_t Pool::next_nonce(const State& state, const AccountId& account) const {
  uint32_t nonce = account_info(state.storage(), account).nonce;
  const auto waiting = by_account_.find(account);
  if (waiting == by_account_.end()) return nonce;
  while (waiting->second.contains(nonce)) ++nonce;
  return nonce;
}

std::vector<Bytes> Pool::pending() const {
  std::vector<Bytes> out;
  for (const Entry& entry : entries_) out.push_back(entry.bytes);
  return out;
}

std::optional<Refusal> Pool::dropped(const Hash& hash) const {
  const auto found = std::find_if(dropped_.rbegin(), dropped_.rend(),
                                  [&](const auto& one) { return one.first == hash; });
  if (found == dropped_.rend()) return std::nullopt;
  return found->second;
}

std::optional<Pool::Entries::iterator> Pool::find(const AccountId& account, uint32_t nonce) const {
  const auto waiting = by_account_.find(account);
  if (waiting == by_account_.end()) return std::nullopt;
  const auto entry = waiting->second.find(nonce);
  if (entry == waiting->second.end()) return std::nullopt;
  return entry->second;
}

void Pool::forget(Entries::iterator entry) {
  const auto account = by_account_.find(entry->admission.account);
  account->second.erase(entry->admission.nonce);
  if (account->second.empty()) by_account_.erase(account);
  by_hash_.erase(entry->hash);
  size_bytes_ -= entry->bytes.size();
  entries_.erase(entry);
}

void Pool::drop(Entries::iterator entry, const Refusal& why) {
  ++drops_;
  dropped_.emplace_back(entry->hash, why);
  if (dropped_.size() > kDroppedMax) dropped_.pop_front();
  forget(entry);
}

}  // namespace chain::embedded
