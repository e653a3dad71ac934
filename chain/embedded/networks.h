// Subnets: how one comes to be, how it is started, and what its owner may set about its epochs.
#pragma once

#include <cstdint>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/subtensor_calls.h"

namespace chain::embedded {

// What a new subnet costs in `block`: twice the last one's price, falling to the least over the
// reduction interval.
uint64_t lock_cost_rao(const Storage& storage, uint64_t block);
// When the subnet's next epoch runs, as far as is known now; nothing for one that has none.
std::optional<uint64_t> next_epoch_block(const Storage& storage, uint16_t netuid, uint64_t block);

// NetworkTxRateLimitExceeded, CannotAffordLockCost, SubnetLimitReached, NonAssociatedColdKey. The
// lowest free netuid; the caller becomes its owner, and the price is burned.
Outcome register_network(const Context& context, const AccountId& coldkey,
                         const calls::Hotkey& call);
// The owner's: from now on stake is taken and emission runs. FirstEmissionBlockNumberAlreadySet.
Outcome start_call(const Context& context, const AccountId& coldkey, const calls::Netuid& call);
// The owner's. TempoOutOfBounds (kOwnerTempoMin to kOwnerTempoMax); the epoch begins anew.
inline constexpr uint16_t kOwnerTempoMin = 360;
inline constexpr uint16_t kOwnerTempoMax = 50'400;
Outcome set_tempo(const Context& context, const AccountId& coldkey, const calls::SetTempo& call);
// The owner's. ActivityCutoffFactorMilliOutOfBounds (1,000 to 50,000).
Outcome set_activity_cutoff_factor(const Context& context, const AccountId& coldkey,
                                   const calls::SetActivityCutoffFactor& call);
// The owner's: an epoch in ten blocks. DynamicTempoBlockedByCommitReveal,
// EpochTriggerAlreadyPending, AutoEpochAlreadyImminent.
inline constexpr uint64_t kTriggerBlocks = 10;
Outcome trigger_epoch(const Context& context, const AccountId& coldkey, const calls::Netuid& call);

}  // namespace chain::embedded
