// `muster ledger`: the embedded ledger as a process, RocksDB behind it and Substrate's JSON-RPC in
// front.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/clock.h"
#include "common/result.h"

namespace chain {

struct LedgerOptions {
  std::filesystem::path data;  // A folder; made if it is not there.
  std::filesystem::path
      genesis;  // JSON, see chain/embedded/genesis.h. May be empty for a folder in use.
  std::string host = "127.0.0.1";
  uint16_t port = 9944;  // 0: any that is free; the log says which.
  common::milliseconds block_time{12'000};
};

// Serves until the program is told to stop. In a new folder it begins with the genesis; in a used
// one it goes on, and a genesis of another chain is kInvalidArgument. kUnavailable for a folder or
// port in use. `clock` outlives it. Every block is on the disk before anybody hears of it.
common::Result<void> serve_ledger(const LedgerOptions& options, common::Clock& clock);

// The same on the machine's clock, ended by SIGINT or SIGTERM: the program's exit code. Trouble is
// said on the log.
int run_ledger(const LedgerOptions& options);

}  // namespace chain
