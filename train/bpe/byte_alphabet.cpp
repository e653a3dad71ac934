#include "train/bpe/byte_alphabet.h"

#include <array>

#include "train/bpe/utf8.h"

namespace train::bpe {
namespace {

constexpr uint32_t kFirstSpare = 256;
constexpr uint32_t kCharacters = kFirstSpare + 68;  // 68 bytes have no printable character.
constexpr uint16_t kNone = 0xFFFF;

constexpr bool printable(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<uint32_t, 256> character{};
  std::array<uint16_t, kCharacters> byte{};
};

constexpr Alphabet make_alphabet() {
  Alphabet made;
  for (uint16_t& byte : made.byte) byte = kNone;
  uint32_t spare = kFirstSpare;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    made.character[byte] = printable(byte) ? byte : spare++;
    made.byte[made.character[byte]] = static_cast<uint16_t>(byte);
  }
  return made;
}

constexpr Alphabet kAlphabet = make_alphabet();
static_assert(kAlphabet.character[' '] == 0x120);   // The well-known Ġ,
static_assert(kAlphabet.character['\n'] == 0x10A);  // and Ċ.
static_assert(kAlphabet.character[0xAD] == kCharacters - 1);

}  // namespace

std::string to_alphabet(std::string_view bytes) {
  std::string characters;
  for (const char byte : bytes) {
    append_utf8(kAlphabet.character[static_cast<uint8_t>(byte)], characters);
  }
  return characters;
}

std::optional<std::string> from_alphabet(std::string_view characters) {
  std::string bytes;
  while (!characters.empty()) {
    const Character next = character_at(characters);
    if (next.code >= kCharacters || kAlphabet.byte[next.code] == kNone) return std::nullopt;
    bytes.push_back(static_cast<char>(kAlphabet.byte[next.code]));
    characters.remove_prefix(next.size);
  }
  return bytes;
}

}  // namespace train::bpe
