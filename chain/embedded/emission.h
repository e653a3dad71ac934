// What every block does by itself: it lets prices fall, mints, and now and then closes an epoch.
//
// Source: behaviour of subtensor spec 425, block_step and coinbase, with alpha at one TAO, a
// constant emission a block and no root network. Then the split is exact: 11,796 of 65,535 (18 %)
// to the subnet's owner, and half of the rest (41 %) each to incentives and to dividends.
#pragma once

#include <cstdint>

#include "chain/embedded/dispatch.h"

namespace chain::embedded {

// True if the subnet's epoch is to run in `block`.
bool epoch_due(const Storage& storage, uint16_t netuid, uint64_t block);

// The block's own work, before its extrinsics, for all subnets in ascending netuid; at most two
// epochs a block, later ones wait for the next.
void run_block_step(const Context& context);

}  // namespace chain::embedded
