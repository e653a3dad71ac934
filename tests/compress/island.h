// The whole island on seeded data: what every compiler and every machine must find alike.
#pragma once

#include <cstdint>
#include <string>

namespace compress::testing {

// The state root of some windows of one codec, in hex: BLAKE2b-256 of the bodies that miners
// encode, of their error feedback, and of theta after each step. Several models of random shapes,
// densities, seeds, numbers and peers; both ways to divide and both rules of the step; with a floor
// of norms and without.
//
// Every step is taken as a stream on `threads` threads and in memory (CHECK: the same bits). Uses
// nothing of libm that is not exact.
std::string island_root(const std::string& codec, uint32_t threads);

}  // namespace compress::testing
