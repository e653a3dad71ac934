// Hashing to G1: RFC 9380's suite BLS12381G1_XMD:SHA-256_SSWU_RO_.
//
// For public messages: time depends on them.
#pragma once

#include <string_view>

#include "chain/timelock/bls381/point.h"
#include "common/bytes.h"

namespace chain::timelock::bls381 {

// A point of G1 whose logarithm nobody knows.  Pre: 0 < dst.size() < 256, the protocol's own name.
// Never infinity, but for one message in 2^255: a CHECK.
G1Affine hash_to_g1(common::ByteView message, std::string_view dst);

}  // namespace chain::timelock::bls381
