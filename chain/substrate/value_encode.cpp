// Into SCALE: what somebody wrote as JSON, as the bytes of the type that the runtime wants.
#include <algorithm>
#include <charconv>
#include <limits>

#include "chain/substrate/similar.h"
#include "chain/substrate/value.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr size_t kShownMax = 60;

std::string shown(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kShownMax ? text : text.substr(0, kShownMax) + "...";
}

// A whole number, however it was written.
struct Whole {
  Uint128 magnitude = 0;
  bool negative = false;
};

std::optional<Whole> whole_of_text(std::string_view text) {
  Whole out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  constexpr Uint128 kMax = ~Uint128{0};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<Uint128>(c - '0');
    if (out.magnitude > (kMax - digit) / 10) return std::nullopt;
    out.magnitude = out.magnitude * 10 + digit;
  }
  return out;
}

std::optional<Whole> whole_of(const Json& json) {
  if (json.is_number_unsigned()) return Whole{json.get<uint64_t>()};
  if (json.is_number_integer()) {
    const auto value = json.get<int64_t>();
    const auto bits = static_cast<uint64_t>(value);
    return value < 0 ? Whole{~bits + 1, true} : Whole{bits};
  }
  if (const auto* text = json.get_ptr<const Json::string_t*>()) return whole_of_text(*text);
  return std::nullopt;
}

// Bits of a primitive number; 0 for what is none.
size_t bits_of(Primitive primitive) {
  constexpr size_t kBits[] = {0, 0, 0, 8, 16, 32, 64, 128, 0, 8, 16, 32, 64, 128, 0};
  return kBits[static_cast<size_t>(primitive)];
}

class Writer {
 public:
  Writer(const Metadata& metadata, std::string_view what) : metadata_(metadata), path_(what) {}

  Result<void> put(TypeId id, const Json& json, size_t depth = 0) {
    if (depth > kValueDepthMax) return fault("nested too deep");
    const Type& type = metadata_.types[id];
    if (type.name() == "MultiAddress" && json.is_string()) {
      // An account's address alone; a variant's name is none.
      if (const Json id_json = {{"Id", json}}; AccountId::from_ss58(json.get<std::string>())) {
        return put_def(std::get<VariantType>(type.def), id, id_json, depth);
      }
    }
    if (type.name() == "AccountId32") return put_account(id, json, depth);
    if (type.name() == "BTreeMap" && json.is_object()) return put_object_as_map(id, json, depth);
    return std::visit([&](const auto& def) { return put_def(def, id, json, depth); }, type.def);
  }

  Result<void> put_fields(const std::vector<Field>& fields, const Json& json, size_t depth) {
    const bool named = !fields.empty() && !fields.front().name.empty();
    if (fields.empty()) {
      if (json.is_null() || json.empty()) return {};
      return fault(shown(json) + " where nothing belongs");
    }
    if (!named && fields.size() == 1) return put(fields[0].type, json, depth + 1);
    if (json.is_array()) return put_in_order(fields, json, depth);
    if (!named) return fault("give an array of " + std::to_string(fields.size()));
    if (!json.is_object()) return fault("give an object of " + names_of(fields));
    for (const auto& [name, unused] : json.items()) {
      const bool known = std::any_of(fields.begin(), fields.end(),
                                     [&](const Field& it) { return it.name == name; });
      if (!known) return fault("there is no '" + name + "': it has " + names_of(fields));
    }
    for (const Field& field : fields) {
      const auto found = json.find(field.name);
      const bool is_option = metadata_.types[field.type].name() == "Option";
      if (found == json.end() && !is_option) {
        return fault("'" + field.name + "' is missing: a " + type_text(metadata_, field.type));
      }
      const Step step(path_, field.name);
      TRY_VOID(put(field.type, found == json.end() ? Json() : *found, depth + 1));
    }
    return {};
  }

  Encoder& out() { return out_; }

 private:
  // Where in the value we are, for messages; gone when the step is done.
  class Step {
   public:
    Step(std::string& path, std::string_view name) : path_(path), size_(path.size()) {
      if (!path.empty()) path_ += '.';
      path_ += name;
    }
    Step(std::string& path, size_t place) : path_(path), size_(path.size()) {
      path_.append("[").append(std::to_string(place)).append("]");
    }
    ~Step() { path_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& path_;
    size_t size_;
  };

  Error fault(const std::string& text) const {
    return {Code::kInvalidArgument, path_.empty() ? text : path_ + ": " + text};
  }
  Error not_a(TypeId id, const Json& json) const {
    return fault(shown(json) + " is no " + type_text(metadata_, id));
  }
  static std::string names_of(const std::vector<Field>& fields) {
    std::string out;
    for (const Field& field : fields) add_listed(out, ", ", field.name);
    return out;
  }

  Result<void> put_in_order(const std::vector<Field>& fields, const Json& json, size_t depth) {
    if (json.size() != fields.size()) {
      return fault("it has " + std::to_string(fields.size()) + " parts, not " +
                   std::to_string(json.size()));
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const Step step(path_, i);
      TRY_VOID(put(fields[i].type, json[i], depth + 1));
    }
    return {};
  }

  Result<void> put_account(TypeId id, const Json& json, size_t depth) {
    if (const auto* text = json.get_ptr<const Json::string_t*>()) {
      if (const auto account = AccountId::from_ss58(*text)) {
        out_.account(*account);
        return {};
      }
      if (!text->starts_with("0x")) {
        return fault("'" + *text + "' is no address: 48 characters that begin with 5");
      }
    }
    return std::visit([&](const auto& def) { return put_def(def, id, json, depth); },
                      metadata_.types[id].def);
  }

  // {"key": value}: the keys as text, in the order that JSON sorts them.
  Result<void> put_object_as_map(TypeId id, const Json& json, size_t depth) {
    Json pairs = Json::array();
    for (const auto& [key, value] : json.items()) pairs.push_back(Json::array({key, value}));
    return std::visit([&](const auto& def) { return put_def(def, id, pairs, depth); },
                      metadata_.types[id].def);
  }

  Result<void> put_def(const CompositeType& def, TypeId, const Json& json, size_t depth) {
    return put_fields(def.fields, json, depth);
  }

  Result<void> put_def(const VariantType& def, TypeId id, const Json& json, size_t depth) {
    if (metadata_.types[id].name() == "Option" && def.variants.size() == 2) {
      return put_option(def, json, depth);
    }
    std::string name;
    Json fields;
    if (json.is_string()) {
      name = json.get<std::string>();
    } else if (json.is_object() && json.size() == 1) {
      name = json.begin().key();
      fields = json.begin().value();
    } else {
      return fault(shown(json) + " is no " + type_text(metadata_, id) +
                   ": give \"Name\" or {\"Name\": ..}");
    }
    for (const Variant& variant : def.variants) {
      if (variant.name != name) continue;
      out_.number(variant.index);
      const Step step(path_, name);
      return put_fields(variant.fields, fields, depth);
    }
    return fault("'" + name + "' is none of " + type_text(metadata_, id));
  }

  Result<void> put_option(const VariantType& def, const Json& json, size_t depth) {
    if (json.is_null()) {
      out_.number(def.variants[0].index);
      return {};
    }
    const Variant& some = def.variants[1];
    out_.number(some.index);
    const bool wrapped = json.is_object() && json.size() == 1 && json.begin().key() == "Some";
    return put_fields(some.fields, wrapped ? json.begin().value() : json, depth);
  }

  // "0x.." or, where any length is right, plain text.
  std::optional<Bytes> bytes_of(const Json& json) const {
    const auto* text = json.get_ptr<const Json::string_t*>();
    if (text == nullptr) return std::nullopt;
    if (text->starts_with("0x")) return common::from_hex(*text);
    return Bytes(text->begin(), text->end());
  }
  bool is_byte(TypeId id) const {
    const auto* primitive = std::get_if<Primitive>(&metadata_.types[id].def);
    return primitive != nullptr && *primitive == Primitive::kU8;
  }

  Result<void> put_def(const SequenceType& def, TypeId id, const Json& json, size_t depth) {
    if (is_byte(def.item) && json.is_string()) {
      const auto bytes = bytes_of(json);
      if (!bytes) return fault(shown(json) + " is no hex: two digits a byte");
      out_.bytes(*bytes);
      return {};
    }
    if (!json.is_array()) return not_a(id, json);
    out_.compact(json.size());
    return put_items(def.item, json, depth);
  }
  Result<void> put_def(const ArrayType& def, TypeId id, const Json& json, size_t depth) {
    if (is_byte(def.item) && json.is_string()) {
      const auto bytes = bytes_of(json);
      if (!bytes || bytes->size() != def.size) {
        return fault(shown(json) + " is not " + std::to_string(def.size) + " bytes");
      }
      out_.raw(*bytes);
      return {};
    }
    if (!json.is_array() || json.size() != def.size) return not_a(id, json);
    return put_items(def.item, json, depth);
  }
  Result<void> put_items(TypeId item, const Json& json, size_t depth) {
    for (size_t i = 0; i < json.size(); ++i) {
      const Step step(path_, i);
      TRY_VOID(put(item, json[i], depth + 1));
    }
    return {};
  }

  Result<void> put_def(const TupleType& def, TypeId id, const Json& json, size_t depth) {
    if (def.items.empty()) return put_fields({}, json, depth);
    if (!json.is_array() || json.size() != def.items.size()) return not_a(id, json);
    for (size_t i = 0; i < def.items.size(); ++i) {
      const Step step(path_, i);
      TRY_VOID(put(def.items[i], json[i], depth + 1));
    }
    return {};
  }

  Result<void> put_def(Primitive primitive, TypeId id, const Json& json, size_t) {
    if (primitive == Primitive::kBool) {
      if (!json.is_boolean()) return not_a(id, json);
      out_.number(json.get<bool>());
      return {};
    }
    if (primitive == Primitive::kStr) {
      if (!json.is_string()) return not_a(id, json);
      out_.text(json.get<std::string>());
      return {};
    }
    const size_t bits = bits_of(primitive);
    if (bits == 0) return fault("a " + type_text(metadata_, id) + " cannot be written here");
    const auto whole = whole_of(json);
    if (!whole || !fits(*whole, primitive)) return not_a(id, json);
    const Uint128 value = whole->negative ? ~whole->magnitude + 1 : whole->magnitude;
    for (size_t i = 0; i < bits / 8; ++i) out_.number(static_cast<uint8_t>(value >> 8 * i));
    return {};
  }
  static bool fits(const Whole& whole, Primitive primitive) {
    const size_t bits = bits_of(primitive);
    if (primitive >= Primitive::kI8) {
      const Uint128 limit = Uint128{1} << (bits - 1);
      return whole.negative ? whole.magnitude <= limit : whole.magnitude < limit;
    }
    if (whole.negative) return whole.magnitude == 0;
    return bits == 128 || whole.magnitude >> bits == 0;
  }

  Result<void> put_def(const CompactType& def, TypeId id, const Json& json, size_t depth) {
    const TypeDef& inner = metadata_.types[def.item].def;
    if (const auto* composite = std::get_if<CompositeType>(&inner)) {
      if (composite->fields.size() != 1 || depth > kValueDepthMax) return not_a(id, json);
      return put_def(CompactType{composite->fields[0].type}, id, json, depth + 1);
    }
    const auto* primitive = std::get_if<Primitive>(&inner);
    const auto whole = whole_of(json);
    const bool right = primitive != nullptr && whole && bits_of(*primitive) != 0 &&
                       *primitive < Primitive::kI8 && fits(*whole, *primitive);
    if (!right) return not_a(id, json);
    out_.compact(whole->magnitude);
    return {};
  }
  Result<void> put_def(const BitSequenceType&, TypeId, const Json&, size_t) {
    return fault("bits cannot be written here");
  }

  const Metadata& metadata_;
  std::string path_;
  Encoder out_;
};

}  // namespace

Result<Bytes> encode_value(const Metadata& metadata, TypeId type, const Json& json,
                           std::string_view what) {
  CHECK(type < metadata.types.size());
  Writer writer(metadata, what);
  TRY_VOID(writer.put(type, json));
  return std::move(writer.out()).done();
}

Result<Bytes> encode_call(const Metadata& metadata, std::string_view pallet_name,
                          std::string_view call_name, const Json& arguments) {
  const Pallet* pallet = metadata.pallet(pallet_name);
  if (pallet == nullptr) {
    return Error{Code::kNotFound, "this chain has no pallet '" + std::string(pallet_name) + "'" +
                                      similar_names(metadata.pallets, pallet_name)};
  }
  const std::string whole_name = pallet->name + "." + std::string(call_name);
  const Variant* call = metadata.variant(pallet->calls, call_name);
  if (call == nullptr) {
    const std::string hint =
        pallet->calls
            ? similar_names(std::get<VariantType>(metadata.types[*pallet->calls].def).variants,
                            call_name)
            : "";
    return Error{Code::kNotFound, "this chain has no call " + whole_name + hint};
  }
  Writer writer(metadata, "");
  writer.out().number(pallet->index).number(call->index);
  // One named argument is no newtype: it keeps its name.
  auto done = writer.put_fields(call->fields, arguments, 0);
  if (!done) return common::within(whole_name, done.error());
  return std::move(writer.out()).done();
}

}  // namespace chain::substrate
