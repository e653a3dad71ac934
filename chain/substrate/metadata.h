// What a runtime says of itself: its types, and each pallet's calls, storage, events, errors and
// constants, by name. Nothing of this is known beforehand: numbers move between runtimes.
//
// Source: frame-metadata's RuntimeMetadataV14, V15 and V16, and scale-info's PortableRegistry. The
// members stand in the order of the wire.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chain/substrate/scale.h"
#include "chain/substrate/storage_key.h"
#include "common/result.h"

namespace chain::substrate {

using common::Result;
using Docs = std::vector<std::string>;

// A type's place in the registry.
using TypeId = uint32_t;

// Of a struct, a variant or a call's arguments. The wire has options where "" stands here.
struct Field {
  std::string name;  // "" in a tuple
  TypeId type = 0;
  std::string type_name = {};  // As the source wrote it: "T::AccountId".
  Docs docs = {};
  bool operator==(const Field&) const = default;
};
// Of an enum: also a call, an event, an error.
struct Variant {
  std::string name;
  std::vector<Field> fields;
  uint8_t index = 0;
  Docs docs = {};
  bool operator==(const Variant&) const = default;
};

// What a type is made of.
struct CompositeType {
  std::vector<Field> fields;
  bool operator==(const CompositeType&) const = default;
};
struct VariantType {
  std::vector<Variant> variants;
  bool operator==(const VariantType&) const = default;
};
struct SequenceType {
  TypeId item = 0;
  bool operator==(const SequenceType&) const = default;
};
struct ArrayType {
  uint32_t size = 0;
  TypeId item = 0;
  bool operator==(const ArrayType&) const = default;
};
struct TupleType {
  std::vector<TypeId> items;
  bool operator==(const TupleType&) const = default;
};
enum class Primitive : uint8_t {  // The wire's numbers.
  kBool = 0,
  kChar,
  kStr,
  kU8,
  kU16,
  kU32,
  kU64,
  kU128,
  kU256,
  kI8,
  kI16,
  kI32,
  kI64,
  kI128,
  kI256,
};
struct CompactType {
  TypeId item = 0;
  bool operator==(const CompactType&) const = default;
};
struct BitSequenceType {
  TypeId store = 0;
  TypeId order = 0;
  bool operator==(const BitSequenceType&) const = default;
};
// The alternative's place is its number on the wire.
using TypeDef = std::variant<CompositeType, VariantType, SequenceType, ArrayType, TupleType,
                             Primitive, CompactType, BitSequenceType>;

struct TypeParam {
  std::string name;
  std::optional<TypeId> type;
  bool operator==(const TypeParam&) const = default;
};
struct Type {
  std::vector<std::string> path;  // {"sp_core", "crypto", "AccountId32"}; empty for most
  std::vector<TypeParam> params = {};
  TypeDef def;
  Docs docs = {};
  bool operator==(const Type&) const = default;

  // The path's last part: "AccountId32"; "" if there is none.
  std::string_view name() const { return path.empty() ? std::string_view() : path.back(); }
};

struct StorageItem {
  std::string name;
  bool has_default = false;            // What is not there has `default_value`; else it is nothing.
  std::vector<StorageHasher> hashers;  // One a key; none for a plain value.
  TypeId key = 0;                      // Of a map: the key's type, a tuple if there are several.
  TypeId value = 0;
  Bytes default_value;
  Docs docs = {};
  bool operator==(const StorageItem&) const = default;
};
struct PalletStorage {
  std::string prefix;  // What keys are hashed of: the pallet's name, as a rule.
  std::vector<StorageItem> items;
  bool operator==(const PalletStorage&) const = default;
};
struct Constant {
  std::string name;
  TypeId type = 0;
  Bytes value;
  Docs docs = {};
  bool operator==(const Constant&) const = default;
};
struct Pallet {
  std::string name;
  std::optional<PalletStorage> storage;
  std::optional<TypeId> calls;  // Each of the three is a VariantType.
  std::optional<TypeId> events;
  std::vector<Constant> constants;
  std::optional<TypeId> errors;
  uint8_t index = 0;
  Docs docs = {};  // From V15.
  bool operator==(const Pallet&) const = default;
};

struct SignedExtension {
  std::string identifier;
  TypeId extra = 0;     // What the extrinsic carries,
  TypeId implicit = 0;  //   and what is signed with it.
  bool operator==(const SignedExtension&) const = default;
};
struct ExtrinsicFormat {
  std::vector<uint8_t> versions;  // One before V16.
  TypeId type = 0;                // Only in V14.
  TypeId address = 0;
  TypeId call = 0;
  TypeId signature = 0;
  TypeId extra = 0;  // Not in V16.
  // In the extrinsic's order. V16: those of extension version 0, which a v4 extrinsic has.
  std::vector<SignedExtension> extensions;
  bool operator==(const ExtrinsicFormat&) const = default;
};

struct ApiMethod {
  std::string name;
  std::vector<Field> inputs;
  TypeId output = 0;
  Docs docs = {};
  bool operator==(const ApiMethod&) const = default;
};
struct RuntimeApi {
  std::string name;  // "SubnetInfoRuntimeApi"
  std::vector<ApiMethod> methods;
  Docs docs = {};
  bool operator==(const RuntimeApi&) const = default;
};

// From V15: all pallets' calls in one enum, and so on.
struct OuterEnums {
  TypeId call = 0;
  TypeId event = 0;
  TypeId error = 0;
  bool operator==(const OuterEnums&) const = default;
};
struct CustomValue {
  TypeId type = 0;
  Bytes value;
  bool operator==(const CustomValue&) const = default;
};

struct Metadata {
  uint8_t version = 15;  // 14, 15, 16: of this description, not of the runtime.
  std::vector<Type> types;
  std::vector<Pallet> pallets;
  ExtrinsicFormat extrinsic;
  TypeId runtime = 0;                              // Not in V16.
  std::vector<RuntimeApi> apis;                    // From V15.
  OuterEnums outer;                                // From V15.
  std::map<std::string, CustomValue> custom = {};  // From V15.
  bool operator==(const Metadata&) const = default;

  // Null for a name or a number that this runtime does not have.
  const Pallet* pallet(std::string_view name) const;
  const Pallet* pallet(uint8_t index) const;
  const StorageItem* storage(std::string_view pallet, std::string_view item) const;
  const Constant* constant(std::string_view pallet, std::string_view name) const;
  const ApiMethod* api(std::string_view api, std::string_view method) const;
  // `of` is a pallet's calls, events or errors.
  const Variant* variant(std::optional<TypeId> of, std::string_view name) const;
  const Variant* variant(std::optional<TypeId> of, uint8_t index) const;
};

inline constexpr size_t kMetadataSizeMax = 4u << 20;  // Mainnet's has 340 kB.

// "meta", a version of 14 to 16, and all that follows, to the last byte. kInvalidArgument, with the
// place, for what is malformed, names a type that is not there, has two pallets of one name or
// number, or calls, events or errors that are no enum; kRefused for another version. After it every
// TypeId of `Metadata` is an index of `types`.
Result<Metadata> decode_metadata(ByteView bytes);

}  // namespace chain::substrate
