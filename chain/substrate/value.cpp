#include "chain/substrate/value.h"

#include <algorithm>

namespace chain::substrate {
namespace {

constexpr size_t kTypeTextMax = 160;

std::string decimal(Uint128 value) {
  if (value == 0) return "0";
  std::string digits;
  for (; value != 0; value /= 10) digits += static_cast<char>('0' + static_cast<int>(value % 10));
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Json json_of(const Value::Fields& fields) {
  if (fields.values.empty()) return nullptr;
  if (!fields.names.empty()) {
    Json out = Json::object();
    for (size_t i = 0; i < fields.names.size(); ++i) out[fields.names[i]] = fields.values[i].json();
    return out;
  }
  Json out = Json::array();
  for (const Value& value : fields.values) out.push_back(value.json());
  return out;
}
Json json_of(std::monostate) { return nullptr; }
Json json_of(bool value) { return value; }
Json json_of(const Value::Number& number) {
  if (number.wide) {
    std::string text = decimal(number.magnitude);
    if (number.negative) text.insert(0, 1, '-');
    return text;
  }
  const auto magnitude = static_cast<uint64_t>(number.magnitude);
  if (!number.negative) return magnitude;
  return static_cast<int64_t>(~magnitude + 1);
}
Json json_of(const std::string& text) { return text; }
Json json_of(const Bytes& bytes) { return "0x" + common::to_hex(bytes); }
Json json_of(const AccountId& account) { return account.ss58(); }
Json json_of(const Value::List& list) {
  Json out = Json::array();
  for (const Value& value : list) out.push_back(value.json());
  return out;
}
Json json_of(const Value::Choice& choice) {
  if (choice.name == "None" && choice.index == 0) return nullptr;
  const auto& values = choice.fields.values;
  const bool alone = values.size() == 1 && choice.fields.names.empty();
  if (choice.name == "Some" && choice.index == 1 && alone) {
    Json inner = values[0].json();
    if (!inner.is_null()) return inner;
  }
  if (values.empty()) return choice.name;
  return {{choice.name, alone ? values[0].json() : json_of(choice.fields)}};
}

const Value::Fields* fields_of(const Value& value) {
  if (const auto* choice = value.choice()) return &choice->fields;
  return std::get_if<Value::Fields>(&value.is);
}

constexpr std::string_view kPrimitiveNames[] = {"bool", "char", "str",  "u8",   "u16",
                                                "u32",  "u64",  "u128", "u256", "i8",
                                                "i16",  "i32",  "i64",  "i128", "i256"};

// Writes a type until the text is long enough.
class TypeWriter {
 public:
  explicit TypeWriter(const Metadata& metadata) : metadata_(metadata) {}

  void write(TypeId id) {
    if (text_.size() > kTypeTextMax) return;
    const Type& type = metadata_.types[id];
    const bool plain_name = type.path.size() > 0 && type.name() != "Cow" && type.params.empty();
    if (plain_name) {
      text_ += type.name();
      return;
    }
    if (!type.path.empty()) {
      text_ += type.name();
      write_params(type);
      return;
    }
    std::visit([this](const auto& def) { write_def(def); }, type.def);
  }
  std::string done() && {
    if (text_.size() > kTypeTextMax) text_ = text_.substr(0, kTypeTextMax) + "...";
    return std::move(text_);
  }

 private:
  void write_params(const Type& type) {
    std::vector<TypeId> known;
    for (const TypeParam& param : type.params) {
      if (param.type) known.push_back(*param.type);
    }
    if (!known.empty()) write_all("<", known, ">");
  }
  void write_all(std::string_view open, const std::vector<TypeId>& all, std::string_view close) {
    text_ += open;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i > 0) text_ += ", ";
      write(all[i]);
    }
    text_ += close;
  }
  void write_def(const CompositeType& def) {
    text_ += "{";
    for (size_t i = 0; i < def.fields.size(); ++i) {
      if (i > 0) text_ += ", ";
      if (!def.fields[i].name.empty()) text_ += def.fields[i].name + ": ";
      write(def.fields[i].type);
    }
    text_ += "}";
  }
  void write_def(const VariantType& def) {
    for (size_t i = 0; i < def.variants.size() && text_.size() <= kTypeTextMax; ++i) {
      if (i > 0) text_ += " | ";
      text_ += def.variants[i].name;
    }
  }
  void write_def(const SequenceType& def) { write_all("Vec<", {def.item}, ">"); }
  void write_def(const ArrayType& def) {
    std::string end = "; ";
    end.append(std::to_string(def.size)).append("]");
    write_all("[", {def.item}, end);
  }
  void write_def(const TupleType& def) { write_all("(", def.items, ")"); }
  void write_def(Primitive primitive) { text_ += kPrimitiveNames[static_cast<size_t>(primitive)]; }
  void write_def(const CompactType& def) { write_all("Compact<", {def.item}, ">"); }
  void write_def(const BitSequenceType&) { text_ += "bits"; }

  const Metadata& metadata_;
  std::string text_;
};

}  // namespace

std::optional<bool> Value::boolean() const {
  const auto* found = std::get_if<bool>(&is);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<AccountId> Value::account() const {
  const auto* found = std::get_if<AccountId>(&is);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Hash> Value::hash() const {
  const Bytes* found = bytes();
  if (found == nullptr || found->size() != sizeof(Hash)) return std::nullopt;
  Hash out;
  std::copy(found->begin(), found->end(), out.bytes.begin());
  return out;
}

const Value* Value::some() const {
  const Choice* found = choice();
  if (found == nullptr || found->name != "Some" || found->fields.values.size() != 1) return nullptr;
  return &found->fields.values[0];
}

const Value* Value::at(std::string_view name) const {
  const Fields* fields = fields_of(*this);
  if (fields == nullptr) return nullptr;
  for (size_t i = 0; i < fields->names.size(); ++i) {
    if (fields->names[i] == name) return &fields->values[i];
  }
  return nullptr;
}

const Value* Value::at(size_t place) const {
  if (const List* items = list()) return place < items->size() ? &(*items)[place] : nullptr;
  const Fields* fields = fields_of(*this);
  return fields == nullptr || place >= fields->values.size() ? nullptr : &fields->values[place];
}

Json Value::json() const {
  return std::visit([](const auto& it) { return json_of(it); }, is);
}

std::string type_text(const Metadata& metadata, TypeId type) {
  CHECK(type < metadata.types.size());
  TypeWriter writer(metadata);
  writer.write(type);
  return std::move(writer).done();
}

}  // namespace chain::substrate
