#include "train/bpe/component.h"

#include <fmt/format.h>

#include <utility>

namespace train::bpe {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr size_t kComponentsMax = 16;
constexpr size_t kShownMax = 60;

json without_nulls(const json& object) {
  json kept = json::object();
  for (const auto& [key, value] : object.items()) {
    if (!value.is_null()) kept[key] = value;
  }
  return kept;
}

}  // namespace

Component::Component(json fields, std::string place)
    : fields_(std::make_unique<json>(std::move(fields))),
      place_(std::move(place)),
      object_(*fields_, place_) {
  object_.read("type", type_);
}

Result<Component> Component::make(const json& json, std::string place) {
  if (!json.is_object()) {
    return Error{Code::kInvalidArgument, fmt::format("{}: an object is expected", place)};
  }
  Component made(without_nulls(json), std::move(place));
  if (made.type_.empty()) return made.error("its type is missing");
  return made;
}

bool Component::flag(const char* key, bool fallback) {
  object_.read_optional(key, fallback);
  return fallback;
}

uint32_t Component::number(const char* key, uint32_t fallback) {
  object_.read_optional(key, fallback);
  return fallback;
}

std::string Component::text(const char* key) {
  std::string read;
  object_.read(key, read);
  return read;
}

std::string Component::text(const char* key, std::string fallback) {
  object_.read_optional(key, fallback);
  return fallback;
}

Result<Regex> Component::pattern(const char* key) {
  common::StrictObject child = object_.child(key);
  std::string literal;
  std::string regex;
  child.read_optional("String", literal);
  child.read_optional("Regex", regex);
  TRY_VOID(child.finish());
  if (literal.empty() == regex.empty()) {
    return error(fmt::format("{}: a \"String\" or a \"Regex\" is expected", key));
  }
  auto made = regex.empty() ? Regex::literal(literal) : Regex::make(regex);
  if (!made) return common::within(place_, made.error());
  return made;
}

Result<std::string> Component::plain_pattern(const char* key) {
  common::StrictObject child = object_.child(key);
  std::string literal;
  child.read("String", literal);
  TRY_VOID(child.finish());
  if (literal.empty()) return error(fmt::format("{}: an empty String", key));
  return literal;
}

Result<void> Component::finish() { return object_.finish(); }

Error Component::error(std::string_view sentence) const {
  return {Code::kInvalidArgument, fmt::format("{}: {}", place_, sentence)};
}

Error Component::unknown() const {
  return error(fmt::format("this program does not know the type '{}'", type_.substr(0, kShownMax)));
}

Result<void> for_each_component(const json& json, const std::string& place, const char* list_key,
                                const std::function<Result<void>(Component&)>& each) {
  if (json.is_null()) return {};
  TRY(Component whole, Component::make(json, place));
  if (whole.type() != "Sequence") {
    TRY_VOID(each(whole));
    return whole.finish();
  }
  const auto list = json.find(list_key);
  if (list == json.end() || !list->is_array() || list->size() > kComponentsMax || json.size() > 2) {
    return whole.error(fmt::format("a Sequence is a type and its {}, at most {} of them", list_key,
                                   kComponentsMax));
  }
  for (size_t i = 0; i < list->size(); ++i) {
    TRY(Component part, Component::make((*list)[i], fmt::format("{}.{}[{}]", place, list_key, i)));
    if (part.type() == "Sequence") return part.error("a Sequence within a Sequence");
    TRY_VOID(each(part));
    TRY_VOID(part.finish());
  }
  return {};
}

}  // namespace train::bpe
