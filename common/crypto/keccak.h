// Keccak-f[1600]: the permutation under SHA-3 and STROBE, which neither libsodium nor OpenSSL hands
// out.
//
// Source: FIPS 202, section 3.
#pragma once

#include <array>
#include <cstdint>

namespace common::crypto {

// Lane (x, y) is lanes[x + 5 y].
using KeccakState = std::array<uint64_t, 25>;

// 24 rounds, in place; in constant time.
void keccak_f1600(KeccakState& lanes);

}  // namespace common::crypto
