// chain::Ledger over a private chain in this process: the same client as over the network, and the
// same answers, without the network. For the simulator and for tests.
#pragma once

#include <memory>

#include "chain/embedded/private_chain.h"
#include "chain/ledger.h"

namespace chain::embedded {

// One node's view. Writes return once their extrinsic stands in a block: they sleep on `clock`
// until somebody (the clock itself, or another thread) has made it. `chain` and `clock` outlive it;
// not for two threads at once, but several views may be.
Result<std::unique_ptr<Ledger>> in_process_ledger(PrivateChain& chain, uint16_t netuid,
                                                  common::Clock& clock);

}  // namespace chain::embedded
