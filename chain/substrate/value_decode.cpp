// Out of SCALE: what the bytes of a type say. Strangers' bytes, strangers' types.
#include "chain/substrate/value.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kTextMax = 1 << 20;
constexpr size_t kBytesMax = 1 << 24;
constexpr size_t kBitsMax = 1 << 20;

size_t size_of(Primitive primitive) {
  switch (primitive) {
    case Primitive::kU16:
    case Primitive::kI16:
      return 2;
    case Primitive::kChar:
    case Primitive::kU32:
    case Primitive::kI32:
      return 4;
    case Primitive::kU64:
    case Primitive::kI64:
      return 8;
    case Primitive::kU128:
    case Primitive::kI128:
      return 16;
    case Primitive::kU256:
    case Primitive::kI256:
      return 32;
    default:
      return 1;
  }
}

bool is_signed(Primitive primitive) { return primitive >= Primitive::kI8; }

bool is_byte(const Metadata& metadata, TypeId type) {
  const auto* primitive = std::get_if<Primitive>(&metadata.types[type].def);
  return primitive != nullptr && *primitive == Primitive::kU8;
}

// UTF-8 of one code point.
std::string utf8(uint32_t point) {
  std::string out;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    tail(12), tail(6), tail(0);
  }
  return out;
}

// One tree's worth of reading.
class Reader {
 public:
  Reader(const Metadata& metadata, Decoder& in) : metadata_(metadata), in_(in) {}

  Value take(TypeId id, size_t depth) {
    if (depth > kValueDepthMax || ++count_ > kValuesMax) in_.fail();
    if (!in_.ok()) return {};
    const Type& type = metadata_.types[id];
    if (type.name() == "AccountId32" && is_account(type)) return {in_.account()};
    return std::visit([&](const auto& def) { return take_def(def, depth); }, type.def);
  }

 private:
  // 32 bytes in a struct of one field.
  bool is_account(const Type& type) const {
    const auto* composite = std::get_if<CompositeType>(&type.def);
    if (composite == nullptr || composite->fields.size() != 1) return false;
    const auto* array = std::get_if<ArrayType>(&metadata_.types[composite->fields[0].type].def);
    return array != nullptr && array->size == sizeof(AccountId) && is_byte(metadata_, array->item);
  }

  Value::Fields take_fields(const std::vector<Field>& fields, size_t depth) {
    Value::Fields out;
    const bool named = !fields.empty() && !fields.front().name.empty();
    for (const Field& field : fields) {
      if (!in_.ok()) return {};
      if (named) out.names.push_back(field.name);
      out.values.push_back(take(field.type, depth + 1));
    }
    return out;
  }

  Value take_def(const CompositeType& def, size_t depth) {
    // A struct around one nameless thing is that thing.
    if (def.fields.size() == 1 && def.fields[0].name.empty()) {
      return take(def.fields[0].type, depth + 1);
    }
    return {take_fields(def.fields, depth)};
  }
  Value take_def(const VariantType& def, size_t depth) {
    const auto index = in_.number<uint8_t>();
    for (const Variant& variant : def.variants) {
      if (variant.index != index) continue;
      return {Value::Choice{variant.name, index, take_fields(variant.fields, depth)}};
    }
    in_.fail();
    return {};
  }
  Value take_def(const SequenceType& def, size_t depth) {
    if (is_byte(metadata_, def.item)) {
      const ByteView bytes = in_.bytes(kBytesMax);
      return {Bytes(bytes.begin(), bytes.end())};
    }
    // Items may be empty (a unit): the count of parts bounds what the rest of the bytes does not.
    return take_items(def.item, in_.count(kValuesMax, 0), depth);
  }
  Value take_def(const ArrayType& def, size_t depth) {
    if (is_byte(metadata_, def.item)) {
      const ByteView bytes = in_.raw(def.size);
      return {Bytes(bytes.begin(), bytes.end())};
    }
    return take_items(def.item, def.size, depth);
  }
  Value take_items(TypeId item, size_t size, size_t depth) {
    Value::List out;
    for (size_t i = 0; i < size && in_.ok(); ++i) out.push_back(take(item, depth + 1));
    return {std::move(out)};
  }
  Value take_def(const TupleType& def, size_t depth) {
    Value::Fields out;
    for (const TypeId item : def.items) {
      if (!in_.ok()) return {};
      out.values.push_back(take(item, depth + 1));
    }
    return {std::move(out)};
  }
  Value take_def(Primitive primitive, size_t) {
    if (primitive == Primitive::kBool) return {in_.number<bool>()};
    if (primitive == Primitive::kStr) return {in_.text(kTextMax)};
    const size_t size = size_of(primitive);
    const ByteView digits = in_.raw(size);
    if (size > sizeof(Uint128)) return {Bytes(digits.begin(), digits.end())};
    Uint128 value = 0;
    for (size_t i = digits.size(); i-- > 0;) value = value << 8 | digits[i];
    if (primitive == Primitive::kChar) return take_char(static_cast<uint32_t>(value));
    const bool negative = is_signed(primitive) && (value >> (8 * size - 1) & 1) != 0;
    if (negative) {
      value = ~value + 1;
      if (size < sizeof(Uint128)) value &= (Uint128{1} << 8 * size) - 1;
    }
    return {Value::Number{value, negative, size == sizeof(Uint128)}};
  }
  Value take_char(uint32_t point) {
    constexpr uint32_t kPointMax = 0x10FFFF;
    const bool surrogate = point >= 0xD800 && point < 0xE000;
    if (point > kPointMax || surrogate) in_.fail();
    return {in_.ok() ? utf8(point) : std::string()};
  }
  Value take_def(const CompactType& def, size_t depth) {
    // What is inside: a number, or a struct of one field around it.
    TypeId id = def.item;
    for (size_t level = depth; level < kValueDepthMax; ++level) {
      const TypeDef& inner = metadata_.types[id].def;
      if (const auto* primitive = std::get_if<Primitive>(&inner)) return take_compact(*primitive);
      if (const auto* unit = std::get_if<TupleType>(&inner); unit && unit->items.empty()) return {};
      const auto* composite = std::get_if<CompositeType>(&inner);
      if (composite == nullptr || composite->fields.size() > 1) break;
      if (composite->fields.empty()) return {};
      id = composite->fields[0].type;
    }
    in_.fail();
    return {};
  }
  Value take_compact(Primitive primitive) {
    const bool unsigned_number = primitive >= Primitive::kU8 && primitive <= Primitive::kU128;
    if (!unsigned_number) in_.fail();
    const Uint128 value = in_.compact128();
    const size_t size = size_of(primitive);
    if (size < sizeof(Uint128) && value >> 8 * size != 0) in_.fail();
    return {Value::Number{value, false, size == sizeof(Uint128)}};
  }
  Value take_def(const BitSequenceType& def, size_t) {
    const auto* store = std::get_if<Primitive>(&metadata_.types[def.store].def);
    if (store == nullptr) in_.fail();
    const size_t bits = in_.count(kBitsMax, 0);
    if (!in_.ok()) return {};
    const size_t unit = size_of(*store);
    const ByteView bytes = in_.raw((bits + 8 * unit - 1) / (8 * unit) * unit);
    return {Value::Fields{{"bits", "bytes"},
                          {{Value::Number{bits}}, {Bytes(bytes.begin(), bytes.end())}}}};
  }

  const Metadata& metadata_;
  Decoder& in_;
  size_t count_ = 0;
};

}  // namespace

Value take_value(const Metadata& metadata, TypeId type, Decoder& in) {
  CHECK(type < metadata.types.size());
  Value value = Reader(metadata, in).take(type, 0);
  return in.ok() ? std::move(value) : Value{};
}

Result<Value> decode_value(const Metadata& metadata, TypeId type, ByteView bytes,
                           std::string_view what) {
  Decoder in(bytes);
  Value value = take_value(metadata, type, in);
  if (in.at_end()) return value;
  const char* trouble = in.ok() ? " has bytes left over" : " is malformed";
  return Error{Code::kCorrupt, "the node's value of " + std::string(what) + trouble};
}

}  // namespace chain::substrate
