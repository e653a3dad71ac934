#include "common/crypto/key_fields.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace common::crypto {
namespace {

constexpr size_t kMembersMax = 64;

// Reads forward; what it cannot read it leaves, and says so.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool take(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool at_end() {
    skip_space();
    return rest_.empty();
  }

  // Whether a text comes next.
  bool at_text() {
    skip_space();
    return rest_.starts_with('"');
  }

  std::optional<SecretBytes> text() {
    if (!take('"')) return std::nullopt;
    SecretBytes out(rest_.size());  // No escape is longer than what it stands for.
    size_t used = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        out.shrink(used);
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
      if (c != '\\') {
        out.bytes()[used++] = static_cast<uint8_t>(c);
      } else if (!escape(out.bytes(), used)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  // A number, true, false or null.
  bool skip_word() {
    skip_space();
    const size_t size = std::min(rest_.find_first_of(",} \t\r\n"), rest_.size());
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word == "null" || word == "true" || word == "false" || is_number(word);
  }

 private:
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  static bool is_number(std::string_view word) {
    double value;
    const char* end = word.data() + word.size();
    const auto read = std::from_chars(word.data(), end, value);
    const bool plain = word.find_first_not_of("0123456789+-.eE") == word.npos;
    return plain && read.ec == std::errc() && read.ptr == end;
  }

  // What stands after a backslash, as UTF-8. Characters beyond U+FFFF are not needed here.
  bool escape(std::span<uint8_t> out, size_t& used) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (const size_t at = kNames.find(c); at != kNames.npos) {
      out[used++] = static_cast<uint8_t>(kValues[at]);
      return true;
    }
    if (c != 'u' || rest_.size() < 4) return false;
    uint32_t point = 0;
    const auto read = std::from_chars(rest_.data(), rest_.data() + 4, point, 16);
    if (read.ec != std::errc() || read.ptr != rest_.data() + 4) return false;
    rest_.remove_prefix(4);
    if (point >= 0xD800 && point < 0xE000) return false;
    if (point < 0x80) {
      out[used++] = static_cast<uint8_t>(point);
      return true;
    }
    if (point < 0x800) {
      out[used++] = static_cast<uint8_t>(0xC0 | point >> 6);
    } else {
      out[used++] = static_cast<uint8_t>(0xE0 | point >> 12);
      out[used++] = static_cast<uint8_t>(0x80 | (point >> 6 & 0x3F));
    }
    out[used++] = static_cast<uint8_t>(0x80 | (point & 0x3F));
    return true;
  }

  std::string_view rest_;
};

Error malformed() {
  return {Code::kInvalidArgument, "not a key file: neither JSON with a key nor a known encryption"};
}

}  // namespace

Result<KeyFields> KeyFields::parse(std::string_view json) {
  Reader reader(json);
  KeyFields out;
  if (!reader.take('{')) return malformed();
  if (!reader.take('}')) {
    do {
      auto name = reader.text();
      if (!name || !reader.take(':') || out.members_.size() == kMembersMax) return malformed();
      std::optional<SecretBytes> value(0);
      const bool read = reader.at_text() ? (value = reader.text()).has_value() : reader.skip_word();
      if (!read) return malformed();
      const bool twice = std::ranges::any_of(
          out.members_, [&](const auto& member) { return member.first == name->text(); });
      if (twice) return Error{Code::kInvalidArgument, "the key file names a member twice"};
      out.members_.emplace_back(name->text(), std::move(*value));
    } while (reader.take(','));
    if (!reader.take('}')) return malformed();
  }
  if (!reader.at_end()) return malformed();
  return out;
}

std::string_view KeyFields::get(std::string_view name) const {
  const auto found =
      std::ranges::find_if(members_, [&](const auto& member) { return member.first == name; });
  return found == members_.end() ? std::string_view() : found->second.text();
}

}  // namespace common::crypto
