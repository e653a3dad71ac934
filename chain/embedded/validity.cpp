#include "chain/embedded/validity.h"

#include <map>

namespace chain::embedded {
namespace {

// InvalidTransaction::Custom's numbers for the errors that the chain's transaction extension looks
// for.
std::optional<uint8_t> code_of(SubtensorError error) {
  using E = SubtensorError;
  static const std::map<E, uint8_t> codes = {
      {E::kAmountTooLow, 1},
      {E::kNotEnoughStakeToSetWeights, 1},
      {E::kNotEnoughBalanceToStake, 2},
      {E::kSubnetNotExists, 3},
      {E::kHotKeyAccountNotExists, 4},
      {E::kNotEnoughStakeToWithdraw, 5},
      {E::kSettingWeightsTooFast, 6},
      {E::kInsufficientLiquidity, 7},
      {E::kHotKeyNotRegisteredInNetwork, 10},
      {E::kHotKeyNotRegisteredInSubNet, 10},
      {E::kInvalidIpType, 11},
      {E::kInvalidIpAddress, 11},
      {E::kServingRateLimitExceeded, 12},
      {E::kInvalidPort, 13},
      {E::kWeightVecNotEqualSize, 18},
      {E::kCommittingWeightsTooFast, 6},
      {E::kInvalidRevealRound, 15},
      {E::kNoWeightsCommitFound, 16},
      {E::kRevealTooEarly, 17},
      {E::kExpiredWeightCommit, 17},
      {E::kUidVecContainInvalidOne, 19},
      {E::kDelegateTakeTooLow, 26},
      {E::kDelegateTakeTooHigh, 27},
      {E::kSlippageTooHigh, 8},
      {E::kTransferDisallowed, 9},
      {E::kNonAssociatedColdKey, 25},
  };
  const auto found = codes.find(error);
  if (found == codes.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<uint8_t> custom_code(const DispatchError& error) {
  if (error.kind != DispatchError::kModule || error.pallet != kSubtensorPallet) return std::nullopt;
  return code_of(static_cast<SubtensorError>(error.error));
}

std::string Refusal::text() const {
  switch (kind) {
    case Invalid::kCall:
      return "Transaction call is not expected";
    case Invalid::kPayment:
      return "Inability to pay some fees (e.g. account balance too low)";
    case Invalid::kFuture:
      return "Transaction will be valid in the future";
    case Invalid::kStale:
      return "Transaction is outdated";
    case Invalid::kBadProof:
      return "Transaction has a bad signature";
    case Invalid::kAncientBirthBlock:
      return "Transaction has an ancient birth block";
    case Invalid::kExhaustsResources:
      return "Transaction would exhaust the block limits";
    case Invalid::kCustom:
      return "Custom error: " + std::to_string(custom);
    case Invalid::kBadMandatory:
      return "Transaction dispatch is mandatory; transactions must not be validated.";
    case Invalid::kUnknown:
      return "Could not find an unsigned validator for the unsigned transaction";
    case Invalid::kMalformed:
      return "not an extrinsic";
  }
  CHECK_MSG(false, "an Invalid that is none");
}

}  // namespace chain::embedded
