// From the wire: three layouts of one description. What differs stands beside a version.
#include <algorithm>
#include <array>
#include <utility>

#include "chain/substrate/metadata.h"
#include "chain/substrate/metadata_checks.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr std::array<uint8_t, 4> kMagic = {'m', 'e', 't', 'a'};
constexpr uint8_t kV14 = 14;
constexpr uint8_t kV15 = 15;
constexpr uint8_t kV16 = 16;

// Bounds of lists and texts: some ten times what mainnet has.
constexpr size_t kTypesMax = 1 << 14;
constexpr size_t kFieldsMax = 1 << 10;
constexpr size_t kVariantsMax = 256;  // Their numbers are a byte.
constexpr size_t kPathMax = 32;
constexpr size_t kPalletsMax = 256;
constexpr size_t kItemsMax = 1 << 12;
constexpr size_t kHashersMax = 16;
constexpr size_t kApisMax = 1 << 10;
constexpr size_t kDocsMax = 1 << 12;
constexpr size_t kNameMax = 1 << 10;
constexpr size_t kLineMax = 1 << 14;
constexpr size_t kValueMax = 1 << 20;

TypeId take_id(Decoder& in) { return in.compact<TypeId>(); }

Bytes take_bytes(Decoder& in) {
  const ByteView bytes = in.bytes(kValueMax);
  return {bytes.begin(), bytes.end()};
}

Docs take_docs(Decoder& in) {
  return in.sequence(kDocsMax, 1, [](Decoder& from) { return from.text(kLineMax); });
}

std::string take_optional_text(Decoder& in) {
  if (!in.number<bool>()) return {};
  std::string text = in.text(kNameMax);
  if (text.empty()) in.fail();  // We could not write it back.
  return text;
}

Field take_field(Decoder& in) {
  Field field;
  field.name = take_optional_text(in);
  field.type = take_id(in);
  field.type_name = take_optional_text(in);
  field.docs = take_docs(in);
  return field;
}

std::vector<Field> take_fields(Decoder& in) { return in.sequence(kFieldsMax, 4, take_field); }

Variant take_variant(Decoder& in) {
  Variant variant;
  variant.name = in.text(kNameMax);
  variant.fields = take_fields(in);
  variant.index = in.number<uint8_t>();
  variant.docs = take_docs(in);
  return variant;
}

TypeDef take_def(Decoder& in) {
  switch (in.number<uint8_t>()) {
    case 0:
      return CompositeType{take_fields(in)};
    case 1:
      return VariantType{in.sequence(kVariantsMax, 4, take_variant)};
    case 2:
      return SequenceType{take_id(in)};
    case 3: {
      const auto size = in.number<uint32_t>();
      return ArrayType{size, take_id(in)};
    }
    case 4:
      return TupleType{in.sequence(kFieldsMax, 1, take_id)};
    case 5: {
      const auto primitive = in.number<uint8_t>();
      if (primitive > static_cast<uint8_t>(Primitive::kI256)) in.fail();
      return static_cast<Primitive>(primitive);
    }
    case 6:
      return CompactType{take_id(in)};
    case 7: {
      const TypeId store = take_id(in);
      return BitSequenceType{store, take_id(in)};
    }
    default:
      in.fail();
      return TupleType{};
  }
}

TypeParam take_param(Decoder& in) {
  TypeParam param;
  param.name = in.text(kNameMax);
  param.type = in.option(take_id);
  return param;
}

Type take_type(Decoder& in) {
  Type type;
  type.path = in.sequence(kPathMax, 1, [](Decoder& from) { return from.text(kNameMax); });
  type.params = in.sequence(kPathMax, 2, take_param);
  type.def = take_def(in);
  type.docs = take_docs(in);
  return type;
}

// Each type comes with its number, which is its place.
std::vector<Type> take_types(Decoder& in) {
  TypeId next = 0;
  return in.sequence(kTypesMax, 6, [&next](Decoder& from) {
    if (take_id(from) != next++) from.fail();
    return take_type(from);
  });
}

// V16 says of everything whether it is deprecated. Nobody here asks.
void skip_deprecation(Decoder& in, uint8_t version) {
  if (version < kV16) return;
  switch (in.number<uint8_t>()) {
    case 0:  // Not deprecated
    case 1:  // Deprecated, without a word
      return;
    case 2:
      in.bytes(kLineMax);
      if (in.number<bool>()) in.bytes(kLineMax);
      return;
    default:
      in.fail();
  }
}

// Of an enum: by the number of the variant.
void skip_deprecations(Decoder& in, uint8_t version) {
  if (version < kV16) return;
  for (size_t left = in.count(kVariantsMax, 2); left > 0 && in.ok(); --left) {
    in.number<uint8_t>();
    skip_deprecation(in, version);
  }
}

StorageHasher take_hasher(Decoder& in) {
  const auto number = in.number<uint8_t>();
  if (number > static_cast<uint8_t>(StorageHasher::kIdentity)) in.fail();
  return static_cast<StorageHasher>(number);
}

StorageItem take_item(Decoder& in, uint8_t version) {
  StorageItem item;
  item.name = in.text(kNameMax);
  item.has_default = in.number<bool>();
  if (in.number<bool>()) {
    item.hashers = in.sequence(kHashersMax, 1, take_hasher);
    if (item.hashers.empty()) in.fail();
    item.key = take_id(in);
  }
  item.value = take_id(in);
  item.default_value = take_bytes(in);
  item.docs = take_docs(in);
  skip_deprecation(in, version);
  return item;
}

PalletStorage take_storage(Decoder& in, uint8_t version) {
  PalletStorage storage;
  storage.prefix = in.text(kNameMax);
  storage.items =
      in.sequence(kItemsMax, 6, [version](Decoder& from) { return take_item(from, version); });
  return storage;
}

Constant take_constant(Decoder& in, uint8_t version) {
  Constant constant;
  constant.name = in.text(kNameMax);
  constant.type = take_id(in);
  constant.value = take_bytes(in);
  constant.docs = take_docs(in);
  skip_deprecation(in, version);
  return constant;
}

std::optional<TypeId> take_enum(Decoder& in, uint8_t version) {
  return in.option([version](Decoder& from) {
    const TypeId type = take_id(from);
    skip_deprecations(from, version);
    return type;
  });
}

Field take_input(Decoder& in) {
  Field input;
  input.name = in.text(kNameMax);
  input.type = take_id(in);
  return input;
}

// Types that a pallet names for others, and functions that look: from V16, not needed here.
void skip_associated_types_and_views(Decoder& in, uint8_t version) {
  if (version < kV16) return;
  in.sequence(kItemsMax, 3, [](Decoder& from) {
    from.text(kNameMax);
    take_id(from);
    return take_docs(from).size();
  });
  in.sequence(kItemsMax, 37, [version](Decoder& from) {
    from.hash();
    from.text(kNameMax);
    from.sequence(kFieldsMax, 2, take_input);
    take_id(from);
    take_docs(from);
    skip_deprecation(from, version);
    return 0;
  });
}

Pallet take_pallet(Decoder& in, uint8_t version) {
  Pallet pallet;
  pallet.name = in.text(kNameMax);
  pallet.storage = in.option([version](Decoder& from) { return take_storage(from, version); });
  pallet.calls = take_enum(in, version);
  pallet.events = take_enum(in, version);
  pallet.constants =
      in.sequence(kItemsMax, 4, [version](Decoder& from) { return take_constant(from, version); });
  pallet.errors = take_enum(in, version);
  skip_associated_types_and_views(in, version);
  pallet.index = in.number<uint8_t>();
  if (version >= kV15) pallet.docs = take_docs(in);
  skip_deprecation(in, version);
  return pallet;
}

SignedExtension take_extension(Decoder& in) {
  SignedExtension extension;
  extension.identifier = in.text(kNameMax);
  extension.extra = take_id(in);
  extension.implicit = take_id(in);
  return extension;
}

std::vector<SignedExtension> take_extensions(Decoder& in) {
  return in.sequence(kFieldsMax, 3, take_extension);
}

// The type of the extrinsic has the others as its parameters.
void name_extrinsic_parts(ExtrinsicFormat& format, const std::vector<Type>& types) {
  if (format.type >= types.size()) return;  // Found by the checks that follow.
  for (const TypeParam& param : types[format.type].params) {
    if (!param.type) continue;
    if (param.name == "Address") format.address = *param.type;
    if (param.name == "Call") format.call = *param.type;
    if (param.name == "Signature") format.signature = *param.type;
    if (param.name == "Extra") format.extra = *param.type;
  }
}

ExtrinsicFormat take_extrinsic(Decoder& in, uint8_t version, const std::vector<Type>& types) {
  ExtrinsicFormat format;
  if (version == kV14) format.type = take_id(in);
  format.versions = {in.number<uint8_t>()};
  if (version == kV15) {
    format.address = take_id(in);
    format.call = take_id(in);
    format.signature = take_id(in);
    format.extra = take_id(in);
  } else {
    name_extrinsic_parts(format, types);
  }
  format.extensions = take_extensions(in);
  return format;
}

// Extensions may come in several sets; a v4 extrinsic has set 0.
ExtrinsicFormat take_extrinsic_v16(Decoder& in) {
  ExtrinsicFormat format;
  format.versions = in.numbers<uint8_t>(kVariantsMax);
  format.address = take_id(in);
  format.call = take_id(in);
  format.signature = take_id(in);
  std::map<uint8_t, std::vector<uint32_t>> sets;
  for (size_t left = in.count(kVariantsMax, 2); left > 0 && in.ok(); --left) {
    const auto set = in.number<uint8_t>();
    sets[set] = in.sequence(kFieldsMax, 1, [](Decoder& from) { return from.compact<uint32_t>(); });
  }
  const std::vector<SignedExtension> all = take_extensions(in);
  const auto first = sets.find(0);
  if (first == sets.end()) {
    format.extensions = all;
    return format;
  }
  for (const uint32_t place : first->second) {
    if (place >= all.size()) {
      in.fail();
      return format;
    }
    format.extensions.push_back(all[place]);
  }
  return format;
}

ApiMethod take_method(Decoder& in, uint8_t version) {
  ApiMethod method;
  method.name = in.text(kNameMax);
  method.inputs = in.sequence(kFieldsMax, 2, take_input);
  method.output = take_id(in);
  method.docs = take_docs(in);
  skip_deprecation(in, version);
  return method;
}

std::vector<RuntimeApi> take_apis(Decoder& in, uint8_t version) {
  return in.sequence(kApisMax, 3, [version](Decoder& from) {
    RuntimeApi api;
    api.name = from.text(kNameMax);
    api.methods =
        from.sequence(kApisMax, 4, [version](Decoder& it) { return take_method(it, version); });
    api.docs = take_docs(from);
    if (version >= kV16) from.compact<uint32_t>();  // The version of the API
    skip_deprecation(from, version);
    return api;
  });
}

void take_rest(Decoder& in, Metadata& out) {
  if (out.version < kV16) out.runtime = take_id(in);
  if (out.version < kV15) return;
  out.apis = take_apis(in, out.version);
  out.outer.call = take_id(in);
  out.outer.event = take_id(in);
  out.outer.error = take_id(in);
  for (size_t left = in.count(kItemsMax, 3); left > 0 && in.ok(); --left) {
    std::string name = in.text(kNameMax);
    const TypeId type = take_id(in);
    if (!out.custom.emplace(std::move(name), CustomValue{type, take_bytes(in)}).second) in.fail();
  }
}

Error malformed(std::string_view where) {
  return {Code::kInvalidArgument, "the node's metadata is malformed " + std::string(where) +
                                      ": is the node's version known?"};
}

}  // namespace

Result<Metadata> decode_metadata(ByteView bytes) {
  if (bytes.size() > kMetadataSizeMax) {
    return Error{Code::kInvalidArgument, "the node's metadata is longer than " +
                                             std::to_string(kMetadataSizeMax) + " bytes"};
  }
  Decoder in(bytes);
  if (in.array<4>() != kMagic) return malformed("at its first four bytes");
  Metadata out;
  out.version = in.number<uint8_t>();
  if (!in.ok()) return malformed("at its version");
  if (out.version < kV14 || out.version > kV16) {
    return Error{Code::kRefused, "the node's metadata has version " + std::to_string(out.version) +
                                     ", this program reads 14 to 16"};
  }
  out.types = take_types(in);
  if (!in.ok()) return malformed("in its types");
  out.pallets =
      in.sequence(kPalletsMax, 8, [&out](Decoder& from) { return take_pallet(from, out.version); });
  if (!in.ok()) return malformed("in its pallets");
  out.extrinsic =
      out.version < kV16 ? take_extrinsic(in, out.version, out.types) : take_extrinsic_v16(in);
  if (!in.ok()) return malformed("in its extrinsic");
  take_rest(in, out);
  if (!in.at_end()) return malformed(in.ok() ? "after its end" : "in its runtime calls");
  TRY_VOID(check_metadata(out));
  return out;
}

}  // namespace chain::substrate
