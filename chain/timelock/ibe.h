// Encryption with its random numbers given: what timelock.h draws, and tests fix.
#pragma once

#include <array>
#include <cstdint>

#include "chain/timelock/cipher.h"
#include "chain/timelock/timelock.h"

namespace chain::timelock {

// The secrets of one encryption, wiped by the destructor. Never used twice.
struct Ephemeral {
  CipherKey key{};
  std::array<uint8_t, 32> sigma{};
  CipherNonce nonce{};

  Ephemeral() = default;
  ~Ephemeral();
  Ephemeral(const Ephemeral&) = delete;
  Ephemeral& operator=(const Ephemeral&) = delete;
};

// With r = SHA-256(sigma | key) mod the group's order, Q the round's point, and all hashes SHA-256:
//   u = r G2,   v = sigma ^ hash(e(Q, r beacon)),   w = key ^ hash(sigma),   body = AES(key, ...)
// Pre: plaintext.size() <= kPlaintextSizeMax.
Bytes encrypt_with(const Ephemeral& secret, ByteView plaintext, uint64_t round,
                   const BeaconKey& beacon);

}  // namespace chain::timelock
