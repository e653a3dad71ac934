// Any value of any type that a runtime describes: out of SCALE, and into it from JSON.
//
// How JSON shows a value, and what is read back to the same bytes:
//   bool, u8 .. u64, i8 .. i64   true, 7, -7           u128, i128, and their compacts   "7"
//   str, char                    "text"                Vec<u8>, [u8; N]                 "0x0a1b"
//   AccountId32                  its SS58 address      Vec, array, set, tuple           [..]
//   struct                       {"field": ..}         struct of one nameless field     the field
//   enum                         "Name", or {"Name": fields}: an object if they have names, the
//                                field alone if there is one, an array if there are more
//   Option                       null, or the value; {"Some": value} if the value may be null
//   itself BTreeMap                     [[key, value], ..]
// Also read: numbers as decimal text; Vec<u8> as plain text; a MultiAddress as an SS58 address; a
// BTreeMap as an object, if its keys read from text.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chain/substrate/metadata.h"
#include "chain/substrate/scale.h"

namespace chain::substrate {

using Json = nlohmann::json;

class Value {
 public:
  struct Number {
    Uint128 magnitude = 0;
    bool negative = false;
    bool wide = false;  // Of 128 bits: JSON shows it as text.
    bool operator==(const Number&) const = default;
  };
  // Of a struct, a tuple or a variant. `names` is empty if they have none.
  struct Fields {
    std::vector<std::string> names = {};
    std::vector<Value> values = {};
    bool operator==(const Fields&) const = default;
  };
  // One variant of an enum. An Option is a Choice of "None" or "Some".
  struct Choice {
    std::string name;
    uint8_t index = 0;
    Fields fields = {};
    bool operator==(const Choice&) const = default;
  };
  using List = std::vector<Value>;
  using Is = std::variant<std::monostate, bool, Fields, Number, std::string, Bytes, AccountId, List,
                          Choice>;

  Is is;
  bool operator==(const Value&) const = default;

  // What it is, or nothing (null) if it is something else. A number must fit.
  template <typename T>
  requires std::unsigned_integral<T> std::optional<T> number()
  const {
    const auto* found = std::get_if<Number>(&is);
    if (found == nullptr || found->negative || found->magnitude > static_cast<T>(~T{0})) {
      return std::nullopt;
    }
    return static_cast<T>(found->magnitude);
  }
  std::optional<bool> boolean() const;
  std::optional<AccountId> account() const;
  // Bytes of 32, as hashes are.
  std::optional<Hash> hash() const;
  const Bytes* bytes() const { return std::get_if<Bytes>(&is); }
  const List* list() const { return std::get_if<List>(&is); }
  const Choice* choice() const { return std::get_if<Choice>(&is); }
  // What an Option holds; null for None, and for what is no Option.
  const Value* some() const;
  // A field of a struct, or of the variant that an enum is, by its name or its place.
  const Value* at(std::string_view name) const;
  const Value* at(size_t place) const;

  Json json() const;
};

inline constexpr size_t kValueDepthMax = 64;
inline constexpr size_t kValuesMax = 1 << 20;  // Of one tree.

// Reads one value of type `type`. Fails (the decoder) for what is not of it, is nested deeper than
// kValueDepthMax, or has more than kValuesMax parts.  Pre: `metadata` passed check_metadata.
Value take_value(const Metadata& metadata, TypeId type, Decoder& in);
// All of `bytes`; kCorrupt, naming `what`, if they are not one value of the type.
Result<Value> decode_value(const Metadata& metadata, TypeId type, ByteView bytes,
                           std::string_view what);

// kInvalidArgument, with the path to the fault ("dests[3]: 70000 is no u16") and what would be
// right.
Result<Bytes> encode_value(const Metadata& metadata, TypeId type, const Json& json,
                           std::string_view what);

// A call by its names; `arguments` is an object by the arguments' names, or an array in their
// order. kNotFound for a pallet or a call that the runtime does not have, with what it has that
// looks like it; kInvalidArgument for arguments, naming the one.
Result<Bytes> encode_call(const Metadata& metadata, std::string_view pallet, std::string_view call,
                          const Json& arguments);

// "u16", "Vec<AccountId32>", "{netuid: u16, ..}": a type for people, cut where it grows long.
std::string type_text(const Metadata& metadata, TypeId type);

}  // namespace chain::substrate
