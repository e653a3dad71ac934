// Reads a JSON object whose every key must be known, for hparams.json and node.json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace common {

// Parses; kInvalidArgument with line and column for text that is not one JSON object, or holds a
// key twice.
Result<nlohmann::json> parse_json_object(std::string_view text);

// The entry of `known` closest to `word` by edit distance, or empty if none is close (over a third
// away).
std::string_view did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

// Fields of one object, asked for by name; `finish` reports the first trouble: a missing key, a
// wrong type, or a key that nobody asked for ("unknown key 'seal_blok' in schedule: did you mean
// 'seal_block'?").
class StrictObject {
 public:
  // `path` names the object in messages: "schedule". `object` outlives this.
  StrictObject(const nlohmann::json& object, std::string path);

  // Integers must be integral and fit; a number may be written 1 or 1.0 for a double.
  void read(const char* key, bool& out);
  void read(const char* key, uint16_t& out);
  void read(const char* key, uint32_t& out);
  void read(const char* key, uint64_t& out);
  void read(const char* key, double& out);
  void read(const char* key, std::string& out);
  // Leaves `out` as it is when the key is absent.
  template <typename T>
  void read_optional(const char* key, T& out) {
    if (object_.contains(key)) {
      read(key, out);
    } else {
      known_.emplace_back(key);
    }
  }
  // A nested object; an empty one (and trouble noted) if it is absent or of another type.
  StrictObject child(const char* key);
  // The same, but absence is no trouble.
  StrictObject optional_child(const char* key);
  // Notes trouble of the caller's own: "<path>.<key>: <message>".
  void fail(const char* key, std::string_view message);

  // Ok, or the first trouble so far. Call after all reads; children are finished by their own call.
  Result<void> finish();

 private:
  const nlohmann::json* find(const char* key);
  template <typename T>
  void read_integer(const char* key, T& out);

  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string> known_;
  std::string trouble_;
};

}  // namespace common
