// set_weights: what a validator thinks of the others, and when the chain listens.
//
// Source: behaviour of subtensor spec 425, do_set_weights.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/embedded/dispatch.h"
#include "chain/ledger.h"

namespace chain::embedded {

// In the chain's order: CommitRevealEnabled, CanNotSetRootNetworkWeights, WeightVecNotEqualSize,
// SubnetNotExists, UidsLengthExceedUidsInSubNet, HotKeyNotRegisteredInSubNet,
// NotEnoughStakeToSetWeights, IncorrectWeightVersionKey, SettingWeightsTooFast,
// NeuronNoValidatorPermit, DuplicateUids, UidVecContainInvalidOne, WeightVecLengthIsLow.
Outcome check_weights(const Storage& storage, uint64_t block, const AccountId& hotkey,
                      const substrate::SetWeights& call);
// Stores the row as given, scaled so that the largest value is 65,535, and stamps LastUpdate.
Outcome set_weights(const Context& context, const AccountId& hotkey,
                    const substrate::SetWeights& call);

// A stored row: Weights or Bonds of one uid; empty if there is none.
std::vector<Weight> get_row(const Storage& storage, const Bytes& key);
void put_row(Storage& storage, const Bytes& key, const std::vector<Weight>& row);

}  // namespace chain::embedded
