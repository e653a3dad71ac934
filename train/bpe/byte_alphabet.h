// The printable character that stands for each byte in byte-level vocabularies: "Ġ" is a space.
// Source: Radford et al. 2019 (GPT-2), bytes_to_unicode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace train::bpe {

// The characters that stand for `bytes`, in UTF-8.
std::string to_alphabet(std::string_view bytes);

// The bytes that `characters` stand for; nothing if one of them stands for none.
std::optional<std::string> from_alphabet(std::string_view characters);

}  // namespace train::bpe
