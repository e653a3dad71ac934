// The end of an epoch: Yuma consensus over what validators said, and everybody's pay.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/yuma.h"

namespace chain::embedded {

// Splits `total` by `shares`, exactly: the parts sum to it if any share is above zero, and are all
// zero otherwise. A part differs from total * share / sum by less than one.
std::vector<uint64_t> split_exactly(uint64_t total, const std::vector<uint64_t>& shares);

// What the chain holds of a subnet, as the epoch reads it.
EpochInput epoch_input(const Storage& storage, uint16_t netuid, uint64_t block,
                       uint64_t emission_rao);

// Runs the epoch, stores its results and pays what is pending: the owner's cut to the owner's
// hotkey, incentives to miners' hotkeys (for their own coldkeys), dividends to validators' hotkeys
// (for all who hold stake there). Without incentives validators get both halves. Incentives of the
// owner's own hotkeys are burned (nobody's) or recycled (unminted), and what nobody earned is
// recycled: nothing is lost without trace.
void close_epoch(const Context& context, uint16_t netuid);

}  // namespace chain::embedded
