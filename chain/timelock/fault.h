// What is wrong with a stranger's point, signature or ciphertext.
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace chain::timelock {

enum class Fault : uint8_t {
  kLength,         // Of a point, or of a whole ciphertext.
  kFlags,          // A point's three flag bits are not those of a compressed point.
  kNotCanonical,   // A coordinate is not below the field's modulus.
  kNotOnCurve,     // No point has this coordinate.
  kNotInSubgroup,  // On the curve, but not of prime order.
  kZero,           // The point at infinity, which signs and hides nothing.
  kBadSignature,   // A point of the group, but not this key's signature of this round.
  kFraming,        // A ciphertext's inner lengths or its cipher's name are wrong.
  kOtherRound,     // Not encrypted for this signature's round and key, or altered.
  kAltered,        // Its authentication tag does not fit.
  kNoPayload,      // What was decrypted is not a weights payload.
  kOtherHotkey,    // A weights payload that names somebody else: a copied commit.
};

// "the point is not on the curve", ...; for a log or an Error.
std::string_view describe(Fault fault);

// A T, or what was wrong.
template <typename T>
using Checked = tl::expected<T, Fault>;

}  // namespace chain::timelock
