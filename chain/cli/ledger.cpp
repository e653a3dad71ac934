// muster ledger: a chain of one's own, on this machine.
#include <CLI/CLI.hpp>

#include "chain/commands.h"
#include "chain/ledger_command.h"
#include "common/log.h"
#include "common/verb.h"

namespace chain::cli {
namespace {

using common::Result;

constexpr uint32_t kBlockMsMax = 3'600'000;

// What was given, or `otherwise`.
template <typename T>
T number_or(const CLI::App& verb, const char* flag, T otherwise) {
  return common::is_given(verb, flag) ? verb.get_option(flag)->as<T>() : otherwise;
}

Result<int> run_ledger_verb(const CLI::App& verb) {
  LedgerOptions options;
  options.data = common::given(verb, "--data");
  options.genesis = common::given(verb, "--genesis");
  options.restore = common::given(verb, "--restore");
  options.dev = common::is_given(verb, "--dev");
  options.keep_blocks = number_or(verb, "--keep-blocks", options.keep_blocks);
  options.connections_max = number_or(verb, "--connections", options.connections_max);
  if (common::is_given(verb, "--host")) options.host = common::given(verb, "--host");
  options.port = number_or(verb, "--port", options.port);
  const auto block_ms =
      number_or(verb, "--block-ms", static_cast<uint32_t>(options.block_time.count()));
  options.block_time = common::milliseconds(block_ms);
  const std::string level = common::given(verb, "--log-level");
  TRY_VOID(common::start_log("ledger", level.empty() ? "info" : level));
  if (common::is_given(verb, "--snapshot")) {
    const std::string file = common::given(verb, "--snapshot");
    TRY_VOID(snapshot_ledger(options.data, file));
    common::log_info("ledger: {} holds a snapshot of {}", file, options.data.string());
    return common::kOk;
  }
  return run_ledger(options);
}

}  // namespace
}  // namespace chain::cli

namespace chain {

void add_ledger_verb(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  CLI::App& ledger = common::add_verb(
      muster, exit_code,
      {"ledger",
       "Run a private chain on this machine; Bittensor's clients can talk to it. Ends on SIGTERM",
       "muster ledger --data ./ledger --genesis genesis.json --port 9944 --block-ms 12000"},
      run_ledger_verb);
  ledger.add_option("--data", "Folder of the chain; made if it is not there")->required();
  ledger.add_option("--genesis", "What a new chain begins with (JSON); needed for a new folder");
  ledger.add_option("--host", "Address to listen on (127.0.0.1)");
  ledger.add_option("--port", "Port to listen on (9944); 0: any that is free, the log says which")
      ->check(CLI::Range(0, 65'535));
  ledger
      .add_option(
          "--block-ms",
          "Milliseconds from block to block (12000); 0: blocks only on demand (dev_newBlock)")
      ->check(CLI::Range(uint32_t{0}, kBlockMsMax));
  common::add_switch(
      ledger, "--dev",
      "For trying things out: //Alice to //Ferdie have TAO, and whoever connects may "
      "call dev_newBlock and dev_setStorage");
  ledger.add_option("--keep-blocks", "How many blocks' bodies to keep (0: all)")
      ->check(CLI::Range(uint64_t{0}, ~uint64_t{0}));
  ledger.add_option("--connections", "How many may be connected at once (512)")
      ->check(CLI::Range(1, 65'535));
  ledger.add_option("--snapshot", "Write what --data holds into this file, and end");
  ledger.add_option("--restore", "Begin in a new folder with what this snapshot holds");
  ledger.add_option("--log-level", "trace, debug, info (default), warning, error");
}

}  // namespace chain
