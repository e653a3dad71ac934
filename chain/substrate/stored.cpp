#include "chain/substrate/stored.h"

#include "chain/substrate/similar.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kPrefixSize = 32;

}  // namespace

Result<Stored> find_stored(const Metadata& metadata, std::string_view pallet_name,
                           std::string_view item_name) {
  const Pallet* pallet = metadata.pallet(pallet_name);
  if (pallet == nullptr) {
    return Error{Code::kNotFound, "this chain has no pallet '" + std::string(pallet_name) + "'" +
                                      similar_names(metadata.pallets, pallet_name)};
  }
  if (const StorageItem* item = metadata.storage(pallet_name, item_name)) {
    return Stored{pallet, item};
  }
  const std::string hint = pallet->storage ? similar_names(pallet->storage->items, item_name) : "";
  return Error{Code::kNotFound,
               "this chain stores no " + pallet->name + "." + std::string(item_name) + hint};
}

std::vector<TypeId> key_types(const Metadata& metadata, const StorageItem& item) {
  if (item.hashers.empty()) return {};
  if (item.hashers.size() == 1) return {item.key};
  return std::get<TupleType>(metadata.types[item.key].def).items;  // check_metadata saw to it.
}

Bytes stored_key(const Stored& stored, std::span<const Bytes> parts) {
  CHECK(parts.size() <= stored.item->hashers.size());
  Encoder out;
  out.raw(storage_prefix(stored.pallet->storage->prefix, stored.item->name));
  for (size_t i = 0; i < parts.size(); ++i) {
    out.raw(hashed_key(stored.item->hashers[i], parts[i]));
  }
  return std::move(out).done();
}

Result<Bytes> stored_key(const Metadata& metadata, const Stored& stored, const Json& keys) {
  const std::vector<TypeId> types = key_types(metadata, *stored.item);
  if (!keys.is_array() || keys.size() > types.size()) {
    std::string wanted;
    for (const TypeId type : types) {
      add_listed(wanted, ", ", type_text(metadata, type));
    }
    return Error{Code::kInvalidArgument, stored.name() + " has " + std::to_string(types.size()) +
                                             " keys" + (types.empty() ? "" : " (" + wanted + ")") +
                                             ", not " +
                                             std::to_string(keys.is_array() ? keys.size() : 1)};
  }
  std::vector<Bytes> parts;
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string what = stored.name() + ", key " + std::to_string(i + 1);
    TRY(Bytes part, encode_value(metadata, types[i], keys[i], what));
    parts.push_back(std::move(part));
  }
  return stored_key(stored, parts);
}

Result<std::vector<std::optional<Value>>> read_stored_key(const Metadata& metadata,
                                                          const Stored& stored, ByteView key) {
  const std::vector<TypeId> types = key_types(metadata, *stored.item);
  const Error foreign{Code::kCorrupt, "the node's key of " + stored.name() + " is malformed"};
  const Bytes prefix = stored_key(stored, std::span<const Bytes>());
  Decoder in(key);
  const ByteView begin = in.raw(kPrefixSize);
  if (!std::equal(begin.begin(), begin.end(), prefix.begin(), prefix.end())) return foreign;
  std::vector<std::optional<Value>> out;
  for (size_t i = 0; i < types.size() && in.ok(); ++i) {
    const StorageHasher hasher = stored.item->hashers[i];
    const ByteView digest = in.raw(digest_size(hasher));
    if (!keeps_key(hasher)) {
      out.emplace_back();
      continue;
    }
    const size_t before = in.remaining();
    const ByteView rest = key.subspan(key.size() - before);
    out.emplace_back(take_value(metadata, types[i], in));
    if (!in.ok()) return foreign;
    // The digest says the same as the key, or somebody made it up.
    const Bytes again = hashed_key(hasher, rest.first(before - in.remaining()));
    if (!std::equal(digest.begin(), digest.end(), again.begin())) return foreign;
  }
  if (!in.at_end()) return foreign;
  return out;
}

Result<std::optional<Value>> read_stored(const Metadata& metadata, const Stored& stored,
                                         const std::optional<Bytes>& bytes) {
  if (!bytes && !stored.item->has_default) return std::optional<Value>();
  const Bytes& encoded = bytes ? *bytes : stored.item->default_value;
  TRY(Value value, decode_value(metadata, stored.item->value, encoded, stored.name()));
  return std::optional<Value>(std::move(value));
}

}  // namespace chain::substrate
