// Scalars: numbers modulo the prime order r of the groups.
#pragma once

#include <array>
#include <cstdint>

#include "common/bytes.h"

namespace chain::timelock::bls381 {

// Big-endian, below r.
using Scalar = std::array<uint8_t, 32>;

inline constexpr Scalar kGroupOrder = {
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01};

// A big-endian number of any length, modulo r. Time depends on the length alone.
Scalar scalar_of(common::ByteView number);

}  // namespace chain::timelock::bls381
