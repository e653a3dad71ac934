// One subnet out of a node's storage: neurons, weights, commitments, hyperparameters.
#pragma once

#include <vector>

#include "chain/ledger.h"
#include "chain/substrate/chain_reader.h"

namespace chain::substrate {

// All at one block hash, so that nothing moves in between. kNotFound if there is no such subnet;
// kCorrupt for a value that does not decode.

// Three round trips for any number of neurons.
Result<Metagraph> read_metagraph(ChainReader& chain, uint16_t netuid, const Block& at);
// Rows that are not empty, by uid. Two round trips.
Result<std::vector<WeightRow>> read_weights(ChainReader& chain, uint16_t netuid, const Hash& at);
// By hotkey. Fields that carry no bytes of their own (a flag) are empty.
Result<std::vector<Commitment>> read_commitments(ChainReader& chain, uint16_t netuid,
                                                 const Hash& at);
Result<Hyperparameters> read_hyperparameters(ChainReader& chain, uint16_t netuid, const Hash& at);
// Free TAO, in rao.
Result<uint64_t> read_balance(ChainReader& chain, const AccountId& account, const Hash& at);

// The value of Commitments.CommitmentOf; the hotkey is in the key.
Result<Commitment> decode_commitment(const AccountId& hotkey, ByteView value);

}  // namespace chain::substrate
