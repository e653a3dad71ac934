// Characters of text that is known to be UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace train::bpe {

inline bool is_ascii(std::string_view text) {
  uint8_t all = 0;  // No early way out: a compiler makes vectors of it.
  for (const char c : text) all = static_cast<uint8_t>(all | static_cast<uint8_t>(c));
  return all < 0x80;
}

struct Character {
  uint32_t code;  // The code point.
  uint32_t size;  // Bytes, 1 .. 4.
};

// The bytes that a character which begins with `first` takes.
constexpr uint32_t character_size(char first) {
  const auto byte = static_cast<uint8_t>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// The first character of `text`.  Pre: `text` is UTF-8 and not empty.
constexpr Character character_at(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  switch (character_size(text[0])) {
    case 1:
      return {byte(0), 1};
    case 2:
      return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    case 3:
      return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
    default:
      return {(byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                  (byte(3) & 0x3F),
              4};
  }
}
static_assert(character_at("\xE2\x96\x81").code == 0x2581);
static_assert(character_at("\xF0\x9F\xA6\x86").code == 0x1F986);

// Appends the character `code` < 0x800, or 0x2581's like up to 0xFFFF.
inline void append_utf8(uint32_t code, std::string& text) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    text.push_back(static_cast<char>(0xC0 | code >> 6));
  } else {
    text.push_back(static_cast<char>(0xE0 | code >> 12));
    text.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
  }
  text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
}

}  // namespace train::bpe
