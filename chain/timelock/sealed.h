// The parts of a ciphertext, and their one encoding.
//
// Source: the arkworks "compressed" serialisation of the `tle` crate's TLECiphertext; lengths are
// u64, little-endian:
//
//   u (96) | 32 | v | 32 | w | length | body | 8 | "AES_GCM_"
//   body = length | AES-256-GCM ciphertext and tag | 12 | nonce
#pragma once

#include <array>
#include <cstdint>

#include "chain/timelock/bls381/codec.h"
#include "chain/timelock/fault.h"
#include "common/bytes.h"

namespace chain::timelock {

inline constexpr size_t kTagSize = 16;

struct Sealed {
  std::array<uint8_t, bls381::kG2Size> u;  // r G2; a compressed point, unless it is a stranger's.
  std::array<uint8_t, 32> v;               // sigma, masked by the pairing.
  std::array<uint8_t, 32> w;               // The AES key, masked by sigma.
  common::ByteView body;                   // With its tag; a view into what was parsed.
  std::array<uint8_t, 12> nonce;

  common::Bytes serialise() const;
  // kLength for what is too short or over 5,000 bytes, kFraming. Looks at no point.
  static Checked<Sealed> parse(common::ByteView bytes);
};

}  // namespace chain::timelock
