// set_weights: what a validator thinks of the others, and when the chain listens.
//
// Source: behaviour of subtensor spec 425, do_set_weights.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/subtensor_calls.h"
#include "chain/ledger.h"

namespace chain::embedded {

// Whether a hotkey is of those who may speak on weights at all: SubnetNotExists,
// HotKeyNotRegisteredInSubNet, NotEnoughStakeToSetWeights (the subnet owner's needs none).
Outcome check_voter(const Storage& storage, uint16_t netuid, const AccountId& hotkey);
// True if the hotkey spoke less than the subnet's rate limit ago.
bool too_fast(const Storage& storage, uint16_t netuid, uint16_t uid, uint64_t block);
// Now it has spoken.
void stamp_update(Storage& storage, uint16_t netuid, uint16_t uid, uint64_t block);

// In the chain's order: CommitRevealEnabled, CanNotSetRootNetworkWeights, WeightVecNotEqualSize,
// SubnetNotExists, UidsLengthExceedUidsInSubNet, HotKeyNotRegisteredInSubNet,
// NotEnoughStakeToSetWeights, IncorrectWeightVersionKey, SettingWeightsTooFast,
// NeuronNoValidatorPermit, DuplicateUids, UidVecContainInvalidOne, WeightVecLengthIsLow.
Outcome check_weights(const Storage& storage, uint64_t block, const AccountId& hotkey,
                      const calls::SetWeights& call);
// Stores the row as given, scaled so that the largest value is 65,535, and stamps LastUpdate.
Outcome set_weights(const Context& context, const AccountId& hotkey, const calls::SetWeights& call);

// The same of what was committed before: commit and reveal must be on, the rate limit was the
// commitment's, and LastUpdate is its, too.
Outcome set_revealed_weights(const Context& context, const AccountId& hotkey,
                             const calls::SetWeights& call);
// A mechanism's weights; there is mechanism 0 only (MechanismDoesNotExist).
Outcome set_mechanism_weights(const Context& context, const AccountId& hotkey,
                              const calls::SetMechanismWeights& call);

// A stored row: Weights or Bonds of one uid; empty if there is none.
std::vector<Weight> get_row(const Storage& storage, const Bytes& key);
void put_row(Storage& storage, const Bytes& key, const std::vector<Weight>& row);

}  // namespace chain::embedded
