// What the ledger knows: raw Substrate keys and SCALE values, and a journal of what was changed.
//
// The keys are Bittensor's own (chain/substrate/storage_key.h), so that what is stored is what is
// served.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "chain/embedded/typed.h"
#include "common/check.h"

namespace chain::embedded {

using common::AccountId;
using common::Bytes;
using common::ByteView;
using common::Hash;

// One key's value before and after a block. Nothing: it was, or is, not there.
struct Change {
  Bytes key;
  std::optional<Bytes> before;
  std::optional<Bytes> after;
  bool operator==(const Change&) const = default;
};
using ChangeSet = std::vector<Change>;  // Ascending by key; before != after.

// Byte by byte, the shorter first: the order of the database. (And g++ 12 warns falsely of vector's
// own.)
struct KeyOrder {
  bool operator()(ByteView one, ByteView other) const {
    return common::text_of(one) < common::text_of(other);
  }
};

class Storage {
 public:
  using Entries = std::map<Bytes, Bytes, KeyOrder>;

  Storage() = default;
  explicit Storage(Entries entries) : entries_(std::move(entries)) {}

  // Null if there is no such key. Valid until the next change.
  const Bytes* find(const Bytes& key) const;
  void put(const Bytes& key, Bytes value);
  void erase(const Bytes& key);

  // A call that fails leaves nothing behind: `roll_back(mark)` undoes all that came after `mark()`.
  size_t mark() const { return journal_.size(); }
  void roll_back(size_t mark);
  std::vector<Bytes> changed_since(size_t mark) const;

  // Everything changed since the last call, net; the journal starts anew, and earlier marks are
  // void.
  ChangeSet take_changes();

  const Entries& entries() const { return entries_; }

 private:
  struct Undo {
    Bytes key;
    std::optional<Bytes> before;
  };
  Entries entries_;
  std::vector<Undo> journal_;
};

// Keys that start with `prefix`, strictly after `start` if there is one, ascending, at most
// `count_max`.
std::vector<Bytes> keys_under(const Storage::Entries& entries, ByteView prefix,
                              const std::optional<Bytes>& start, size_t count_max);
bool starts_with(ByteView key, ByteView prefix);

// Typed access. The ledger alone writes its storage, so that a value of another form is a bug
// (CHECK).
template <std::integral T>
T get_number(const Storage& storage, const Bytes& key, T otherwise = T{}) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return otherwise;
  substrate::Decoder in(*value);
  const T number = in.number<T>();
  CHECK(in.at_end());
  return number;
}
template <std::integral T>
void put_number(Storage& storage, const Bytes& key, T value) {
  storage.put(key, substrate::Encoder().number(value).done());
}
template <std::integral T>
std::vector<T> get_numbers(const Storage& storage, const Bytes& key) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return {};
  substrate::Decoder in(*value);
  auto numbers = in.numbers<T>(1 << 20);
  CHECK(in.at_end());
  return numbers;
}
template <std::integral T>
void put_numbers(Storage& storage, const Bytes& key, const std::vector<T>& values) {
  storage.put(key, substrate::Encoder().numbers(values).done());
}
template <typename T>
T get(const Storage& storage, const Bytes& key, T otherwise = T{}) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return otherwise;
  substrate::Decoder in(*value);
  T out = take<T>(in);
  CHECK(in.at_end());
  return out;
}
std::optional<AccountId> get_account(const Storage& storage, const Bytes& key);
void put_account(Storage& storage, const Bytes& key, const AccountId& account);
std::vector<AccountId> get_accounts(const Storage& storage, const Bytes& key);
void put_accounts(Storage& storage, const Bytes& key, const std::vector<AccountId>& accounts);

}  // namespace chain::embedded
