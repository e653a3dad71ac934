#include "chain/embedded/storage.h"

#include <algorithm>

namespace chain::embedded {

const Bytes* Storage::find(const Bytes& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Storage::put(const Bytes& key, Bytes value) {
  const auto [at, inserted] = entries_.try_emplace(key);
  if (inserted) {
    journal_.push_back({key, std::nullopt});
  } else {
    if (at->second == value) return;
    journal_.push_back({key, std::move(at->second)});
  }
  at->second = std::move(value);
}

void Storage::erase(const Bytes& key) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  journal_.push_back({key, std::move(at->second)});
  entries_.erase(at);
}

void Storage::roll_back(size_t mark) {
  CHECK(mark <= journal_.size());
  while (journal_.size() > mark) {
    Undo& undo = journal_.back();
    if (undo.before) {
      entries_[undo.key] = std::move(*undo.before);
    } else {
      entries_.erase(undo.key);
    }
    journal_.pop_back();
  }
}

std::vector<Bytes> Storage::changed_since(size_t mark) const {
  CHECK(mark <= journal_.size());
  std::vector<Bytes> keys;
  for (size_t i = mark; i < journal_.size(); ++i) keys.push_back(journal_[i].key);
  return keys;
}

ChangeSet Storage::take_changes() {
  std::map<Bytes, std::optional<Bytes>, KeyOrder> before;
  for (Undo& undo : journal_) before.try_emplace(std::move(undo.key), std::move(undo.before));
  journal_.clear();
  ChangeSet changes;
  for (auto& [key, value] : before) {
    const Bytes* now = find(key);
    std::optional<Bytes> after;
    if (now != nullptr) after = *now;
    if (after != value) changes.push_back({key, std::move(value), std::move(after)});
  }
  return changes;
}

bool starts_with(ByteView key, ByteView prefix) {
  return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

std::vector<Bytes> keys_under(const Storage::Entries& entries, ByteView prefix,
                              const std::optional<Bytes>& start, size_t count_max) {
  const Bytes first(prefix.begin(), prefix.end());
  auto at = start && !KeyOrder()(*start, first) ? entries.upper_bound(*start)
                                                : entries.lower_bound(first);
  std::vector<Bytes> keys;
  for (; at != entries.end() && starts_with(at->first, prefix) && keys.size() < count_max; ++at) {
    keys.push_back(at->first);
  }
  return keys;
}

std::optional<AccountId> get_account(const Storage& storage, const Bytes& key) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return std::nullopt;
  substrate::Decoder in(*value);
  const AccountId account = in.account();
  CHECK(in.at_end());
  return account;
}

void put_account(Storage& storage, const Bytes& key, const AccountId& account) {
  storage.put(key, substrate::Encoder().account(account).done());
}

std::vector<AccountId> get_accounts(const Storage& storage, const Bytes& key) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return {};
  substrate::Decoder in(*value);
  auto accounts = in.sequence(1 << 20, 32, [](substrate::Decoder& one) { return one.account(); });
  CHECK(in.at_end());
  return accounts;
}

void put_accounts(Storage& storage, const Bytes& key, const std::vector<AccountId>& accounts) {
  storage.put(key, substrate::Encoder()
                       .sequence(accounts, [](substrate::Encoder& out,
                                              const AccountId& account) { out.account(account); })
                       .done());
}

}  // namespace chain::embedded
