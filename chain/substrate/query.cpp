#include "chain/substrate/query.h"

namespace chain::substrate {

using common::Code;
using common::Error;

size_t Query::ask(std::string_view pallet, std::string_view item, const Json& keys, bool optional) {
  const size_t place = stored_.size();
  stored_.emplace_back();
  keys_.emplace_back();
  bytes_.emplace_back();
  const auto found = find_stored(at_.metadata(), pallet, item);
  if (!found) {
    if (!optional && !trouble_) trouble_ = found.error();
    return place;
  }
  auto key = stored_key(at_.metadata(), *found, keys);
  if (!key) {
    if (!trouble_) trouble_ = key.error();
    return place;
  }
  stored_[place] = *found;
  keys_[place] = *std::move(key);
  return place;
}

Result<void> Query::fetch(ChainReader& chain) {
  if (trouble_) return *trouble_;
  std::vector<Bytes> wanted;
  for (const Bytes& key : keys_) {
    if (!key.empty()) wanted.push_back(key);
  }
  TRY(std::vector<std::optional<Bytes>> values, chain.values(wanted, at_.block.hash));
  size_t next = 0;
  for (size_t place = 0; place < keys_.size(); ++place) {
    if (!keys_[place].empty()) bytes_[place] = std::move(values[next++]);
  }
  return {};
}

std::optional<Value> Query::value(size_t place) {
  if (!stored_[place]) return std::nullopt;
  auto found = read_stored(at_.metadata(), *stored_[place], bytes_[place]);
  if (found) return *std::move(found);
  if (!trouble_) trouble_ = found.error();
  return std::nullopt;
}

bool Query::boolean(size_t place) {
  const auto found = value(place);
  if (!found) return false;
  const auto out = found->boolean();
  if (!out) note(place);
  return out.value_or(false);
}

AccountId Query::account(size_t place) {
  const auto found = value(place);
  if (!found) return {};
  const auto out = found->account();
  if (!out) note(place);
  return out.value_or(AccountId{});
}

std::vector<Weight> Query::row(size_t place) {
  const auto found = value(place);
  std::vector<Weight> out;
  const Value::List* list = found ? found->list() : nullptr;
  if (found && (list == nullptr || list->size() > kNeuronsMax)) note(place);
  if (list == nullptr || trouble_) return out;
  for (const Value& pair : *list) {
    const Value* uid = pair.at(size_t{0});
    const Value* value_of = pair.at(size_t{1});
    const auto uid_number = uid ? uid->number<uint16_t>() : std::nullopt;
    const auto value_number = value_of ? value_of->number<uint16_t>() : std::nullopt;
    if (!uid_number || !value_number) {
      note(place);
      return {};
    }
    out.push_back({{*uid_number}, *value_number});
  }
  return out;
}

Result<void> Query::finish() const {
  if (trouble_) return *trouble_;
  return {};
}

void Query::note(size_t place) {
  if (trouble_) return;
  trouble_ = Error{Code::kCorrupt,
                   "the node's value of " + stored_[place]->name() + " is of another type"};
}

}  // namespace chain::substrate
