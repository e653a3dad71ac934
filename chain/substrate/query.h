// Many items of storage at one block, in one question: name them all, then take each by the place
// it was named at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/substrate/chain_reader.h"

namespace chain::substrate {

inline constexpr size_t kNeuronsMax = 4096;  // Of one subnet; the chain allows 256 today.

// Trouble is noted, the first of it, and told by `finish`; until then what is troubled reads as 0.
class Query {
 public:
  // `at` outlives it.
  explicit Query(const View& at) : at_(at) {}

  // `keys` as JSON. An item that the runtime does not have is trouble, unless it is `optional`.
  size_t ask(std::string_view pallet, std::string_view item, const Json& keys = Json::array(),
             bool optional = false);
  // One round trip.
  Result<void> fetch(ChainReader& chain);

  // Whether something is stored, default or not; whether the runtime has the item at all.
  bool has(size_t place) const { return bytes_[place].has_value(); }
  bool known(size_t place) const { return stored_[place].has_value(); }
  // What is stored, or the item's own default; nothing without either.
  std::optional<Value> value(size_t place);
  template <typename T>
  T number(size_t place, T absent = {}) {
    const auto found = value(place);
    if (!found) return absent;
    if (const auto number = found->number<T>()) return *number;
    note(place);
    return {};
  }
  bool boolean(size_t place);
  AccountId account(size_t place);  // All zeros if there is none.
  // A vector of numbers, or of bools; at most kNeuronsMax.
  template <typename T>
  std::vector<T> numbers(size_t place) {
    return numbers_of<T>(value(place), place);
  }
  std::vector<Weight> row(size_t place);

  // Ok, or the first trouble: kNotFound for an item that is not there, kCorrupt for a value.
  Result<void> finish() const;

 private:
  template <typename T>
  std::vector<T> numbers_of(const std::optional<Value>& found, size_t place) {
    std::vector<T> out;
    const Value::List* list = found ? found->list() : nullptr;
    if (found && (list == nullptr || list->size() > kNeuronsMax)) note(place);
    if (list == nullptr || trouble_) return out;
    for (const Value& one : *list) {
      std::optional<T> item;
      if constexpr (std::same_as<T, bool>) {
        item = one.boolean();
      } else {
        item = one.number<T>();
      }
      if (!item) note(place);
      out.push_back(item.value_or(T{}));
    }
    return out;
  }
  void note(size_t place);

  const View& at_;
  std::vector<std::optional<Stored>> stored_;
  std::vector<Bytes> keys_;
  std::vector<std::optional<Bytes>> bytes_;
  std::optional<common::Error> trouble_;
};

// How JSON keys name an account, cheaper than by SS58.
inline Json key_of(const AccountId& account) { return hex0x(account.bytes); }

}  // namespace chain::substrate
