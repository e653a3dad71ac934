#include "common/hash.h"

#include <sodium.h>

#include <vector>

#include "common/check.h"

namespace common {

std::optional<Hash> Hash::from_hex(std::string_view text) {
  const auto bytes = common::from_hex(text);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::optional<Hash> Hash::from_bytes(ByteView bytes) {
  Hash hash;
  if (bytes.size() != hash.bytes.size()) return std::nullopt;
  std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  return hash;
}

Hash blake2b_256(ByteView bytes) { return {blake2b<32>(bytes)}; }

Hash blake2b_256_keyed(ByteView key, ByteView bytes) {
  CHECK(key.size() >= crypto_generichash_KEYBYTES_MIN &&
        key.size() <= crypto_generichash_KEYBYTES_MAX);
  Hash out;
  CHECK(crypto_generichash(out.bytes.data(), out.bytes.size(), bytes.data(), bytes.size(),
                           key.data(), key.size()) == 0);
  return out;
}

template <size_t N>
requires(N >= 16 && N <= 64) std::array<uint8_t, N> blake2b(ByteView bytes) {
  std::array<uint8_t, N> out;
  CHECK(crypto_generichash(out.data(), N, bytes.data(), bytes.size(), nullptr, 0) == 0);
  return out;
}
template std::array<uint8_t, 16> blake2b<16>(ByteView);
template std::array<uint8_t, 32> blake2b<32>(ByteView);
template std::array<uint8_t, 64> blake2b<64>(ByteView);

struct Hasher::State {
  crypto_generichash_state value;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  CHECK(crypto_generichash_init(&state_->value, nullptr, 0, 32) == 0);
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::update(ByteView bytes) {
  CHECK(crypto_generichash_update(&state_->value, bytes.data(), bytes.size()) == 0);
  return *this;
}

Hash Hasher::finish() {
  Hash out;
  CHECK(crypto_generichash_final(&state_->value, out.bytes.data(), out.bytes.size()) == 0);
  return out;
}

Hash merkle_root(std::span<const Hash> leaves) {
  std::vector<Hash> level;
  level.reserve(leaves.size());
  for (const Hash& leaf : leaves) {
    level.push_back(Hasher().number(uint8_t{0}).update(leaf.bytes).finish());
  }
  if (level.empty()) return Hasher().finish();
  while (level.size() > 1) {
    size_t kept = 0;
    for (size_t i = 0; i < level.size(); i += 2) {
      level[kept++] = i + 1 < level.size() ? Hasher()
                                                 .number(uint8_t{1})
                                                 .update(level[i].bytes)
                                                 .update(level[i + 1].bytes)
                                                 .finish()
                                           : level[i];
    }
    level.resize(kept);
  }
  return level.front();
}

}  // namespace common
