// The whole island on seeded data: what every compiler and every machine must find alike.
#pragma once

#include <string>

namespace compress::testing {

// BLAKE2b-256, in hex, of: the bodies that six miners encode, and theta after three windows of
// decoding, aggregating (by contributors, by senders) and stepping. Uses nothing of libm that is
// not exact.
std::string island_hash();

}  // namespace compress::testing
