#include "common/strict_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

namespace common {
namespace {

using nlohmann::json;

constexpr size_t kWordSizeMax = 100;  // Nobody means a longer key than this.
const json kNoFields = json::object();

// nlohmann's "[json.exception.parse_error.101] parse error at line 1, column 5: ..." without its
// brackets.
std::string plain_words(const json::exception& trouble) {
  const std::string_view text = trouble.what();
  const size_t bracket = text.find("] ");
  return std::string(bracket == std::string_view::npos ? text : text.substr(bracket + 2));
}

// Levenshtein's distance, one row at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string shown(std::string_view word) { return std::string(word.substr(0, kWordSizeMax)); }

}  // namespace

Result<json> parse_json_object(std::string_view text) {
  std::vector<std::set<std::string>> keys_open;  // Of the objects that we are inside of.
  std::string twice;
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys_open.emplace_back();
    if (event == json::parse_event_t::object_end) keys_open.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_open.back().insert(key).second && twice.empty()) twice = key;
    }
    return true;
  };
  json object;
  try {
    object = json::parse(text, watch);
  } catch (const json::exception& trouble) {
    return Error{Code::kInvalidArgument, plain_words(trouble)};
  }
  if (!twice.empty()) {
    return Error{Code::kInvalidArgument, fmt::format("key '{}' stands there twice", shown(twice))};
  }
  if (!object.is_object()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("parse error at line 1, column 1: a JSON object {{...}} is expected, "
                             "this is {}",
                             object.type_name())};
  }
  return object;
}

std::string_view did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  size_t best_distance = std::numeric_limits<size_t>::max();
  if (word.size() > kWordSizeMax) return best;
  for (const std::string_view candidate : known) {
    const size_t distance = edit_distance(word, candidate);
    const bool close = 3 * distance <= std::max(word.size(), candidate.size());
    if (close && distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

StrictObject::StrictObject(const json& object, std::string path)
    : object_(object), path_(std::move(path)) {}

const json* StrictObject::find(const char* key) {
  known_.emplace_back(key);
  const auto found = object_.find(key);
  if (found != object_.end()) return &*found;
  fail(key, "is missing");
  return nullptr;
}

void StrictObject::fail(const char* key, std::string_view message) {
  if (!trouble_.empty()) return;
  trouble_ = fmt::format("{}{}{}: {}", path_, path_.empty() ? "" : ".", key, message);
}

void StrictObject::read(const char* key, bool& out) {
  const json* const value = find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return fail(key, "should be true or false");
  out = value->get<bool>();
}

template <typename T>
void StrictObject::read_integer(const char* key, T& out) {
  const json* const value = find(key);
  if (value == nullptr) return;
  constexpr auto kMax = uint64_t{std::numeric_limits<T>::max()};
  if (!value->is_number_unsigned() || value->get<uint64_t>() > kMax) {
    return fail(key, fmt::format("should be a whole number from 0 to {}", kMax));
  }
  out = static_cast<T>(value->get<uint64_t>());
}

void StrictObject::read(const char* key, uint16_t& out) { read_integer(key, out); }
void StrictObject::read(const char* key, uint32_t& out) { read_integer(key, out); }
void StrictObject::read(const char* key, uint64_t& out) { read_integer(key, out); }

void StrictObject::read(const char* key, double& out) {
  const json* const value = find(key);
  if (value == nullptr) return;
  if (!value->is_number()) return fail(key, "should be a number");
  out = value->get<double>() + 0.0;  // -0 becomes 0: one value, one canonical text.
}

void StrictObject::read(const char* key, std::string& out) {
  const json* const value = find(key);
  if (value == nullptr) return;
  if (!value->is_string()) return fail(key, "should be a text in quotes");
  out = value->get<std::string>();
}

StrictObject StrictObject::optional_child(const char* key) {
  if (object_.contains(key)) return child(key);
  known_.emplace_back(key);
  return {kNoFields, path_.empty() ? key : path_ + "." + key};
}

StrictObject StrictObject::child(const char* key) {
  const std::string path = path_.empty() ? key : path_ + "." + key;
  const json* const value = find(key);
  if (value != nullptr && value->is_object()) return {*value, path};
  if (value != nullptr) fail(key, "should be an object {...}");
  StrictObject empty(kNoFields, path);
  empty.trouble_ = trouble_;
  return empty;
}

Result<void> StrictObject::finish() {
  // A misspelt key is also a missing one: the spelling is the better thing to say.
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string_view meant = did_you_mean(key, {known_.begin(), known_.end()});
    return Error{
        Code::kInvalidArgument,
        fmt::format("unknown key '{}'{}{}", shown(key), path_.empty() ? "" : " in " + path_,
                    meant.empty() ? std::string() : fmt::format(": did you mean '{}'?", meant))};
  }
  if (!trouble_.empty()) return Error{Code::kInvalidArgument, trouble_};
  return {};
}

}  // namespace common
