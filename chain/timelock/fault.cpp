#include "chain/timelock/fault.h"

#include "common/check.h"

namespace chain::timelock {

std::string_view describe(Fault fault) {
  switch (fault) {
    case Fault::kLength:
      return "it has a wrong length";
    case Fault::kFlags:
      return "the point's flag bits are not those of a compressed point";
    case Fault::kNotCanonical:
      return "a coordinate is not below the field's modulus";
    case Fault::kNotOnCurve:
      return "the point is not on the curve";
    case Fault::kNotInSubgroup:
      return "the point is not in the subgroup of prime order";
    case Fault::kZero:
      return "the point is the one at infinity";
    case Fault::kBadSignature:
      return "it is not this beacon's signature of this round";
    case Fault::kFraming:
      return "the ciphertext's lengths or its cipher's name are wrong";
    case Fault::kOtherRound:
      return "it was encrypted for another round or another beacon, or was altered";
    case Fault::kAltered:
      return "the ciphertext was altered";
    case Fault::kNoPayload:
      return "what was hidden is no weights payload";
    case Fault::kOtherHotkey:
      return "the weights payload names another hotkey than the one that committed it";
  }
  CHECK_MSG(false, "a Fault without a sentence");
}

}  // namespace chain::timelock
