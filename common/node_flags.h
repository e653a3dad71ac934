// The flags of the programs that run: a configuration file, and what overrides it, in Bittensor's
// spellings.
#pragma once

#include <nlohmann/json.hpp>

#include "common/clock.h"
#include "common/keys.h"
#include "common/node_config.h"
#include "common/result.h"

namespace CLI {
class App;
}

namespace common {

// --config, --initial-model, --wallet.name, --wallet.hotkey, --wallet.path, --subtensor.network,
// --subtensor.chain_endpoint, --netuid, --patience, --device, --precision, --recompute,
// --log-level, --logging.debug, --logging.trace, --password-file.
void add_node_flags(CLI::App& verb);

// The file, then the flags over it.
Result<NodeConfig> config_of(const CLI::App& verb);
// kInvalidArgument if --netuid is given and is not the hparams'.
Result<void> check_netuid(const CLI::App& verb, uint16_t netuid);
// --patience: how long a ledger that does not answer is asked again.
milliseconds patience_of(const CLI::App& verb);

// The hotkey that the configuration names; asks for a password as common/wallet.h says. Warns when
// an unencrypted coldkey lies beside it: a running node never needs one.
Result<Keypair> read_hotkey(const NodeConfig& config, const CLI::App& verb);

// What a node shows of itself, <data>/status.json, atomically. Trouble is logged and no more:
// status is for looking.
void write_status(const NodeConfig& config, const nlohmann::json& status);
// kNotFound, with what to do, if the node has never run.
Result<nlohmann::json> read_status(const NodeConfig& config);

}  // namespace common
