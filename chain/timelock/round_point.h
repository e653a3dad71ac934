// The point that stands for a round: what a beacon signs, and what is encrypted to.
#pragma once

#include <cstdint>

#include "chain/timelock/bls381/point.h"

namespace chain::timelock {

// hash_to_g1(SHA-256(round, u64 big-endian)), with drand's domain separation.
bls381::G1Affine round_point(uint64_t round);

}  // namespace chain::timelock
