// Pauses that differ between programs that lost the same node in the same moment.
#pragma once

#include <unistd.h>

#include <cstdint>

#include "common/clock.h"

namespace chain::substrate {

// Between a half of `pause` and all of it, by `seed` and this process's id: not secret, only
// uneven. (The finaliser of splitmix64: Steele et al. 2014.)
inline common::milliseconds jittered(common::milliseconds pause, uint64_t seed) {
  uint64_t x = seed + 0x9E3779B97F4A7C15u * (static_cast<uint64_t>(getpid()) + 1);
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  x ^= x >> 31;
  const auto half = static_cast<uint64_t>(pause.count()) / 2;
  return pause - common::milliseconds(half == 0 ? 0 : x % (half + 1));
}

}  // namespace chain::substrate
