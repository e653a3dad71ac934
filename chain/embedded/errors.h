// The errors that the ledger's pallets give: numbers and names of subtensor spec 424, each once, so
// that what the code refuses with and what metadata lists are one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "chain/embedded/events.h"

namespace chain::embedded {

// Nothing: it went well.
using Outcome = std::optional<DispatchError>;

// E(number, name) for each error of a pallet.
#define MUSTER_SYSTEM_ERRORS(E) E(5, CallFiltered)
#define MUSTER_SUBTENSOR_ERRORS(E)             \
  E(1, InvalidIpType)                          \
  E(2, InvalidIpAddress)                       \
  E(3, InvalidPort)                            \
  E(4, HotKeyNotRegisteredInSubNet)            \
  E(5, HotKeyAccountNotExists)                 \
  E(6, HotKeyNotRegisteredInNetwork)           \
  E(7, NonAssociatedColdKey)                   \
  E(9, NotEnoughStakeToWithdraw)               \
  E(10, NotEnoughStakeToSetWeights)            \
  E(12, NotEnoughBalanceToStake)               \
  E(15, NeuronNoValidatorPermit)               \
  E(16, WeightVecNotEqualSize)                 \
  E(17, DuplicateUids)                         \
  E(18, UidVecContainInvalidOne)               \
  E(19, WeightVecLengthIsLow)                  \
  E(21, HotKeyAlreadyRegisteredInSubNet)       \
  E(29, SettingWeightsTooFast)                 \
  E(30, IncorrectWeightVersionKey)             \
  E(31, ServingRateLimitExceeded)              \
  E(32, UidsLengthExceedUidsInSubNet)          \
  E(33, NetworkTxRateLimitExceeded)            \
  E(34, DelegateTxRateLimitExceeded)           \
  E(37, SubNetRegistrationDisabled)            \
  E(41, NotSubnetOwner)                        \
  E(42, RegistrationNotPermittedOnRootSubnet)  \
  E(47, CanNotSetRootNetworkWeights)           \
  E(48, NoNeuronIdAvailable)                   \
  E(49, DelegateTakeTooLow)                    \
  E(50, DelegateTakeTooHigh)                   \
  E(51, NoWeightsCommitFound)                  \
  E(52, InvalidRevealCommitHashNotMatch)       \
  E(53, CommitRevealEnabled)                   \
  E(54, CommitRevealDisabled)                  \
  E(74, MechanismDoesNotExist)                 \
  E(76, SubnetNotExists)                       \
  E(77, TooManyUnrevealedCommits)              \
  E(78, ExpiredWeightCommit)                   \
  E(79, RevealTooEarly)                        \
  E(81, CommittingWeightsTooFast)              \
  E(82, AmountTooLow)                          \
  E(83, InsufficientLiquidity)                 \
  E(84, SlippageTooHigh)                       \
  E(85, TransferDisallowed)                    \
  E(88, FirstEmissionBlockNumberAlreadySet)    \
  E(94, SubtokenDisabled)                      \
  E(96, SameNetuid)                            \
  E(110, IncorrectCommitRevealVersion)         \
  E(111, InvalidRevealRound)                   \
  E(112, RevealPeriodTooLarge)                 \
  E(113, RevealPeriodTooSmall)                 \
  E(114, InvalidValue)                         \
  E(115, SubnetLimitReached)                   \
  E(116, CannotAffordLockCost)                 \
  E(134, RegistrationPriceLimitExceeded)       \
  E(141, TempoOutOfBounds)                     \
  E(142, ActivityCutoffFactorMilliOutOfBounds) \
  E(143, EpochTriggerAlreadyPending)           \
  E(144, AutoEpochAlreadyImminent)             \
  E(145, DynamicTempoBlockedByCommitReveal)
#define MUSTER_UTILITY_ERRORS(E) E(0, TooManyCalls)
#define MUSTER_SUDO_ERRORS(E) E(0, RequireSudo)
#define MUSTER_COMMITMENTS_ERRORS(E)  \
  E(0, TooManyFieldsInCommitmentInfo) \
  E(1, AccountNotAllowedCommit)       \
  E(2, SpaceLimitExceeded)
#define MUSTER_ADMIN_UTILS_ERRORS(E)      \
  E(0, SubnetDoesNotExist)                \
  E(1, MaxValidatorsLargerThanMaxUIds)    \
  E(2, MaxAllowedUIdsLessThanCurrentUIds) \
  E(3, BondsMovingAverageMaxReached)      \
  E(5, ValueNotInBounds)
#define MUSTER_DRAND_ERRORS(E) E(5, PulseVerificationError)

#define MUSTER_ENUMERATOR(number, name) k##name = number,
enum class SystemError : uint8_t { MUSTER_SYSTEM_ERRORS(MUSTER_ENUMERATOR) };
enum class SubtensorError : uint8_t { MUSTER_SUBTENSOR_ERRORS(MUSTER_ENUMERATOR) };
enum class UtilityError : uint8_t { MUSTER_UTILITY_ERRORS(MUSTER_ENUMERATOR) };
enum class SudoError : uint8_t { MUSTER_SUDO_ERRORS(MUSTER_ENUMERATOR) };
enum class CommitmentError : uint8_t { MUSTER_COMMITMENTS_ERRORS(MUSTER_ENUMERATOR) };
enum class AdminError : uint8_t { MUSTER_ADMIN_UTILS_ERRORS(MUSTER_ENUMERATOR) };
enum class DrandError : uint8_t { MUSTER_DRAND_ERRORS(MUSTER_ENUMERATOR) };
#undef MUSTER_ENUMERATOR

inline Outcome refuse(SystemError error) {
  return DispatchError::module(kSystemPallet, static_cast<uint8_t>(error));
}
inline Outcome refuse(SubtensorError error) {
  return DispatchError::module(kSubtensorPallet, static_cast<uint8_t>(error));
}
inline Outcome refuse(UtilityError error) {
  return DispatchError::module(kUtilityPallet, static_cast<uint8_t>(error));
}
inline Outcome refuse(SudoError error) {
  return DispatchError::module(kSudoPallet, static_cast<uint8_t>(error));
}
inline Outcome refuse(CommitmentError error) {
  return DispatchError::module(kCommitmentsPallet, static_cast<uint8_t>(error));
}
inline Outcome refuse(AdminError error) {
  return DispatchError::module(kAdminUtilsPallet, static_cast<uint8_t>(error));
}
inline Outcome refuse(DrandError error) {
  return DispatchError::module(kDrandPallet, static_cast<uint8_t>(error));
}

// DispatchError::kToken's detail.
enum class TokenError : uint8_t { kFundsUnavailable = 0, kBelowMinimum = 2, kNotExpendable = 8 };
inline Outcome refuse(TokenError error) {
  return DispatchError{DispatchError::kToken, 0, 0, static_cast<uint8_t>(error)};
}
inline Outcome bad_origin() { return DispatchError{DispatchError::kBadOrigin, 0, 0, 0}; }
inline Outcome cannot_look_up() { return DispatchError{DispatchError::kCannotLookup, 0, 0, 0}; }

}  // namespace chain::embedded
