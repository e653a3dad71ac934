// What a neuron tells the world about itself: where it serves (Axons), and its commitment.
#pragma once

#include <cstdint>

#include "chain/embedded/calls.h"
#include "chain/embedded/dispatch.h"
#include "chain/embedded/subtensor_calls.h"

namespace chain::embedded {

// HotKeyNotRegisteredInNetwork, InvalidIpType (4 or 6), InvalidIpAddress (loopback and broadcast;
// 0.0.0.0 is allowed), ServingRateLimitExceeded, InvalidPort (0).
Outcome check_axon(const Storage& storage, uint64_t block, const AccountId& hotkey,
                   const calls::ServeAxon& call);
Outcome serve_axon(const Context& context, const AccountId& hotkey, const calls::ServeAxon& call);

// As check_axon; port 0 is refused too.
Outcome check_prometheus(const Storage& storage, uint64_t block, const AccountId& hotkey,
                         const calls::ServePrometheus& call);
Outcome serve_prometheus(const Context& context, const AccountId& hotkey,
                         const calls::ServePrometheus& call);

// What one commitment costs at least of a hotkey's space in an epoch.
inline constexpr uint64_t kCommitmentSpaceMin = 100;

// Only neurons may; at most three fields; the bytes of an epoch's commitments are limited by
// MaxSpace. Overwrites what was committed before.
Outcome set_commitment(const Context& context, const AccountId& hotkey,
                       const calls::SetCommitment& call);
Outcome set_max_space(const Context& context, const Origin& origin, const calls::SetMaxSpace& call);

}  // namespace chain::embedded
