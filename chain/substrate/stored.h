// Items of storage by their names: where a runtime keeps them, and what their bytes say.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chain/substrate/value.h"

namespace chain::substrate {

// One item; both stand in the metadata it was found in.
struct Stored {
  const Pallet* pallet = nullptr;
  const StorageItem* item = nullptr;
  // "SubtensorModule.Keys"
  std::string name() const { return pallet->name + "." + item->name; }
};

// kNotFound, with what looks like it.
Result<Stored> find_stored(const Metadata& metadata, std::string_view pallet,
                           std::string_view item);

// The types of a map's keys, in order; none of a plain value.
std::vector<TypeId> key_types(const Metadata& metadata, const StorageItem& item);

// The raw key of one entry, or, with fewer keys than the map has, what the keys of all entries that
// agree in them begin with. `parts` are keys in SCALE.  Pre: not more than the map has.
Bytes stored_key(const Stored& stored, std::span<const Bytes> parts);
// Keys as JSON; kInvalidArgument for too many, or one that is not of its type.
Result<Bytes> stored_key(const Metadata& metadata, const Stored& stored, const Json& keys);

// The keys of an entry, out of its raw key: nothing for one that was hashed away. kCorrupt for a
// raw key that is not this item's.
Result<std::vector<std::optional<Value>>> read_stored_key(const Metadata& metadata,
                                                          const Stored& stored, ByteView key);
// The entry's value: if nothing is stored, the item's default, if it has one. kCorrupt for bytes
// that are not of its type.
Result<std::optional<Value>> read_stored(const Metadata& metadata, const Stored& stored,
                                         const std::optional<Bytes>& bytes);

}  // namespace chain::substrate
