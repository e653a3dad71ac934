// What a neuron tells the world about itself: where it serves (Axons), and its commitment.
#pragma once

#include <cstdint>

#include "chain/embedded/dispatch.h"

namespace chain::embedded {

// HotKeyNotRegisteredInNetwork, InvalidIpType (4 or 6), InvalidIpAddress (loopback and broadcast;
// 0.0.0.0 is allowed), ServingRateLimitExceeded, InvalidPort (0).
Outcome check_axon(const Storage& storage, uint64_t block, const AccountId& hotkey,
                   const substrate::ServeAxon& call);
Outcome serve_axon(const Context& context, const AccountId& hotkey,
                   const substrate::ServeAxon& call);

// Errors of the Commitments pallet.
enum class CommitmentError : uint8_t {
  kTooManyFields = 0,
  kAccountNotAllowed = 1,
  kSpaceLimitExceeded = 2,
};
inline Outcome refuse(CommitmentError error) {
  return DispatchError::module(kCommitmentsPallet, static_cast<uint8_t>(error));
}
// What one commitment costs at least of a hotkey's space in an epoch.
inline constexpr uint64_t kCommitmentSpaceMin = 100;

// Only neurons may; at most three fields; the bytes of an epoch's commitments are limited by
// MaxSpace. Overwrites what was committed before.
Outcome set_commitment(const Context& context, const AccountId& hotkey,
                       const substrate::SetCommitment& call);

}  // namespace chain::embedded
