// What a call works on, and how it ends: shared by the ledger's pallets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/embedded/storage.h"
#include "chain/substrate/calls.h"
#include "chain/substrate/events.h"

namespace chain::embedded {

using substrate::DispatchError;

// Pallet numbers of mainnet.
inline constexpr uint8_t kSystemPallet = 0;
inline constexpr uint8_t kBalancesPallet = 5;
inline constexpr uint8_t kPaymentPallet = 6;
inline constexpr uint8_t kSubtensorPallet = 7;
inline constexpr uint8_t kCommitmentsPallet = 18;

// Nothing: it went well.
using Outcome = std::optional<DispatchError>;

// The errors of SubtensorModule that the ledger gives, by the numbers of spec 424.
enum class SubtensorError : uint8_t {
  kInvalidIpType = 1,
  kInvalidIpAddress = 2,
  kInvalidPort = 3,
  kHotKeyNotRegisteredInSubNet = 4,
  kHotKeyAccountNotExists = 5,
  kHotKeyNotRegisteredInNetwork = 6,
  kNonAssociatedColdKey = 7,
  kNotEnoughStakeToWithdraw = 9,
  kNotEnoughStakeToSetWeights = 10,
  kNotEnoughBalanceToStake = 12,
  kNeuronNoValidatorPermit = 15,
  kWeightVecNotEqualSize = 16,
  kDuplicateUids = 17,
  kUidVecContainInvalidOne = 18,
  kWeightVecLengthIsLow = 19,
  kHotKeyAlreadyRegisteredInSubNet = 21,
  kSettingWeightsTooFast = 29,
  kIncorrectWeightVersionKey = 30,
  kServingRateLimitExceeded = 31,
  kUidsLengthExceedUidsInSubNet = 32,
  kSubNetRegistrationDisabled = 37,
  kRegistrationNotPermittedOnRootSubnet = 42,
  kCanNotSetRootNetworkWeights = 47,
  kNoNeuronIdAvailable = 48,
  kCommitRevealEnabled = 53,
  kSubnetNotExists = 76,
  kAmountTooLow = 82,
  kInsufficientLiquidity = 83,
};
inline Outcome refuse(SubtensorError error) {
  return DispatchError::module(kSubtensorPallet, static_cast<uint8_t>(error));
}

// DispatchError::kToken's detail.
enum class TokenError : uint8_t { kFundsUnavailable = 0, kBelowMinimum = 2, kNotExpendable = 8 };
inline Outcome refuse(TokenError error) {
  return DispatchError{DispatchError::kToken, 0, 0, static_cast<uint8_t>(error)};
}

// The block being made. `storage` and `events` are the state's.
struct Context {
  Storage& storage;
  uint64_t block = 0;
  std::vector<substrate::EventRecord>& events;
  std::optional<uint32_t> extrinsic = {};  // Nothing in the block's own work.

  void emit(substrate::Event event) const { events.push_back({extrinsic, std::move(event)}); }
};

}  // namespace chain::embedded
