// TCP ports on the loopback that nobody listens on.
#pragma once

#include <cstdint>

#include "common/result.h"

namespace deploy {

// Free at the moment of asking; somebody else may take it before it is used, and then the ledger
// says so.
common::Result<uint16_t> free_port();

// kUnavailable, with what to do, if somebody listens on `port` or it cannot be had.
common::Result<void> check_port(uint16_t port);

}  // namespace deploy
