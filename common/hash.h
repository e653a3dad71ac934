// BLAKE2b (libsodium): names for bytes. For many bytes: the tree hash (common/tree_hash.h).
#pragma once

#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace common {

// A BLAKE2b-256 digest, unless said otherwise.
struct Hash {
  std::array<uint8_t, 32> bytes{};
  auto operator<=>(const Hash&) const = default;

  std::string hex() const { return to_hex(bytes); }
  // The first eight hex digits: for people, never for comparing.
  std::string brief() const { return hex().substr(0, 8); }
  // Exactly 64 hex digits, with or without 0x.
  static std::optional<Hash> from_hex(std::string_view text);
  // Exactly 32 bytes.
  static std::optional<Hash> from_bytes(ByteView bytes);
};

Hash blake2b_256(ByteView bytes);
// Keyed: who does not know the key can neither compute nor guess-and-check it.
Hash blake2b_256_keyed(ByteView key, ByteView bytes);

// Any output length from 16 to 64 bytes (16 for Substrate's storage keys, 64 for SS58).
template <size_t N>
requires(N >= 16 && N <= 64) std::array<uint8_t, N> blake2b(ByteView bytes);

// BLAKE2b-256 of what is fed in pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& update(ByteView bytes);
  template <typename T>
  requires std::is_arithmetic_v<T> Hasher& number(T value) {
    return update({reinterpret_cast<const uint8_t*>(&value), sizeof(T)});
  }
  // Call once; the hasher is spent then.
  Hash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Root of the Merkle tree over `leaves`: a leaf is H(0, leaf), a node H(1, left, right), an odd
// node is carried up as it is, no leaves give H(). The prefixes keep a leaf from posing as a node.
Hash merkle_root(std::span<const Hash> leaves);

}  // namespace common

template <>
struct std::hash<common::Hash> {
  size_t operator()(const common::Hash& digest) const {
    size_t value;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};
