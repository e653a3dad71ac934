// Compressed points: x big-endian, with three flags in the top bits of the first byte
// (0x80 compressed, 0x40 infinity, 0x20 y is the higher of the two). In Fp2, c1 comes first.
//
// Source: draft-irtf-cfrg-pairing-friendly-curves-11, appendix C (Zcash's form). Infinity is
// refused throughout: no key, signature or ciphertext may be it.
#pragma once

#include <array>

#include "chain/timelock/bls381/point.h"
#include "chain/timelock/fault.h"
#include "common/bytes.h"

namespace chain::timelock::bls381 {

inline constexpr size_t kG1Size = kFpSize;
inline constexpr size_t kG2Size = 2 * kFpSize;

// kLength, kFlags, kNotCanonical, kNotOnCurve, kNotInSubgroup, kZero. Time depends on the bytes.
Checked<G1Affine> g1_from_bytes(common::ByteView bytes);
Checked<G2Affine> g2_from_bytes(common::ByteView bytes);

std::array<uint8_t, kG1Size> bytes_of(const G1Affine& point);
std::array<uint8_t, kG2Size> bytes_of(const G2Affine& point);

}  // namespace chain::timelock::bls381
