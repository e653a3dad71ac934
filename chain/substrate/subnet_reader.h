// One subnet out of a node: neurons, weights, commitments, hyperparameters.
#pragma once

#include <vector>

#include "chain/ledger.h"
#include "chain/substrate/chain_reader.h"

namespace chain::substrate {

// All at one block, so that nothing moves in between. kNotFound if there is no such subnet;
// kCorrupt for a value that does not decode, or that is missing where another says it is.

// Two round trips for 256 neurons (four for more): by SubnetInfoRuntimeApi.get_metagraph where the
// runtime's metadata lists it, by storage otherwise; the answers are the same.
Result<Metagraph> read_metagraph(ChainReader& chain, uint16_t netuid, const View& at);
Result<Metagraph> read_metagraph_by_api(ChainReader& chain, uint16_t netuid, const View& at);
Result<Metagraph> read_metagraph_by_storage(ChainReader& chain, uint16_t netuid, const View& at);

// Rows that are not empty, by uid. One round trip for 256 neurons, two for more.
Result<std::vector<WeightRow>> read_weights(ChainReader& chain, uint16_t netuid, const View& at);
// By hotkey. Fields that carry no bytes of their own (a flag) are empty.
Result<std::vector<Commitment>> read_commitments(ChainReader& chain, uint16_t netuid,
                                                 const View& at);
Result<Hyperparameters> read_hyperparameters(ChainReader& chain, uint16_t netuid, const View& at);
// Free TAO, in rao.
Result<uint64_t> read_balance(ChainReader& chain, const AccountId& account, const View& at);

// A value of Commitments.CommitmentOf; the hotkey is in the key.
Result<Commitment> read_commitment(const AccountId& hotkey, const Value& value);

}  // namespace chain::substrate
