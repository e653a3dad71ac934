// The networks that have names: where their nodes are, and which chain they must be of.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash.h"
#include "common/result.h"

namespace chain::substrate {

struct Endpoints {
  std::vector<std::string> urls;        // In the order they are tried.
  std::optional<common::Hash> genesis;  // Of the network that was named.
};

// One or several, with commas between: URLs (http, https, ws, wss), or finney, test, archive,
// local, or a network's name and where a node of it is ("finney@ws://10.0.0.7:9944").
// kInvalidArgument, with what would be right; also for two networks of different chains.
common::Result<Endpoints> parse_endpoints(std::string_view text);

// Bittensor's main and test chains.
bool is_public_network(const common::Hash& genesis);

}  // namespace chain::substrate
