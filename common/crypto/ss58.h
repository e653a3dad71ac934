// SS58: Substrate's addresses, which are Base58 with a prefix and a checksum.
//
// Source: docs.substrate.io, "SS58 address format"; the alphabet is Bitcoin's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace common::crypto {

std::string to_base58(ByteView bytes);
// Nothing for another character, or for text of more than 128. Time is quadratic.
std::optional<Bytes> from_base58(std::string_view text);

// Prefix 42, one byte: 48 characters.
std::string to_ss58(const std::array<uint8_t, 32>& account);
std::optional<std::array<uint8_t, 32>> from_ss58(std::string_view text);

}  // namespace common::crypto
