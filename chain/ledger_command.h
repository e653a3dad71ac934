// `muster ledger`: the embedded ledger as a process, RocksDB behind it and Substrate's JSON-RPC in
// front, over HTTP and WebSocket on one port.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/clock.h"
#include "common/result.h"

namespace chain {

struct LedgerOptions {
  std::filesystem::path data;  // A folder; made if it is not there.
  // JSON, see chain/embedded/genesis.h. May be empty for a folder in use, and with `dev`.
  std::filesystem::path genesis;
  // A new folder begins with what this file holds, in place of a genesis. May be empty.
  std::filesystem::path restore;
  std::string host = "127.0.0.1";
  uint16_t port = 9944;  // 0: any that is free; the log says which.
  // 0: no block is made unless somebody asks for it (dev_newBlock).
  common::milliseconds block_time{12'000};
  // For trying things out: a genesis with prefunded keys if none is given, dev_newBlock and
  // dev_setStorage for everybody who can connect.
  bool dev = false;
  uint64_t keep_blocks = 0;  // Bodies of so many blocks are kept; 0: all.
  size_t connections_max = 512;
};

// Serves until the program is told to stop. In a new folder it begins with the genesis; in a used
// one it goes on, and a genesis of another chain is kInvalidArgument. kUnavailable for a folder or
// port in use. `clock` outlives it. Every block is on the disk before anybody hears of it.
common::Result<void> serve_ledger(const LedgerOptions& options, common::Clock& clock);

// Writes what the folder holds into one file (mode 0600: it has the beacon's secret); the ledger
// must not be running.
common::Result<void> snapshot_ledger(const std::filesystem::path& data,
                                     const std::filesystem::path& file);

// serve_ledger on the machine's clock, ended by SIGINT or SIGTERM: the program's exit code. Trouble
// is said on the log.
int run_ledger(const LedgerOptions& options);

}  // namespace chain
