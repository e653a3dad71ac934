// One part of a tokenizer.json that says what is done to text: {"type": "Split", ...}.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/strict_json.h"
#include "train/bpe/regex.h"

namespace train::bpe {

// Reads a component by name. What nobody asks for is an error, for it may change what the tokens
// are; null is the same as absent. All errors are kInvalidArgument, and name the place.
class Component {
 public:
  // `place` names it in messages: "pre_tokenizer".
  static common::Result<Component> make(const nlohmann::json& json, std::string place);

  const std::string& type() const { return type_; }
  const std::string& place() const { return place_; }

  bool flag(const char* key, bool fallback);
  uint32_t number(const char* key, uint32_t fallback);
  // A text that must be there.
  std::string text(const char* key);
  std::string text(const char* key, std::string fallback);
  // {"String": "..."} or {"Regex": "..."}.
  common::Result<Regex> pattern(const char* key);
  // {"String": "..."} alone.
  common::Result<std::string> plain_pattern(const char* key);

  common::Result<void> finish();
  common::Error error(std::string_view sentence) const;
  // "this program knows no pre_tokenizer 'Nmt'".
  common::Error unknown() const;

 private:
  Component(nlohmann::json fields, std::string place);

  std::unique_ptr<nlohmann::json> fields_;  // `object_` refers to them.
  std::string place_;
  std::string type_;
  common::StrictObject object_;
};

// Calls `each` for every component in order: none for null, the elements of a "Sequence" (their
// list is `list_key`), or the one. A Sequence within a Sequence, or over 16 components are refused.
common::Result<void> for_each_component(
    const nlohmann::json& json, const std::string& place, const char* list_key,
    const std::function<common::Result<void>(Component&)>& each);

}  // namespace train::bpe
