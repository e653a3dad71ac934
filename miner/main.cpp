// muster-miner: earns by training.
#include <CLI/CLI.hpp>
#include <iostream>

#include "chain/window_loop.h"
#include "common/log.h"
#include "common/node_flags.h"
#include "common/verb.h"
#include "miner/plan_verb.h"
#include "miner/worker.h"
#include "train/node_parts.h"

namespace miner {
namespace {

using common::Clock;
using common::Keypair;
using common::NodeConfig;
using nlohmann::json;

json status_json(const MinerStatus& status) {
  return {{"role", "miner"},
          {"phase", status.phase},
          {"window", status.window.index},
          {"uid", status.uid ? json(status.uid->index) : json()},
          {"state_root", status.state_root.hex()},
          {"steps", status.steps},
          {"first_loss", status.first_loss},
          {"last_loss", status.last_loss},
          {"sealed_bytes", status.sealed_bytes},
          {"bytes_sent", status.bytes_sent},
          {"windows_applied", status.windows_applied},
          {"verdict", status.verdict}};
}

Result<int> run(const CLI::App& verb) {
  TRY(const NodeConfig config, common::config_of(verb));
  TRY_VOID(common::start_log("miner", config.log_level));
  common::install_stop_signals();
  Clock& clock = common::system_clock();
  TRY(const train::NodeParts node, train::open_node(config));
  TRY_VOID(common::check_netuid(verb, node.hparams.netuid));
  TRY(const auto learner,
      train::open_learner(node.hparams, node.machines, {.recompute = config.recompute}));
  TRY(const Keypair hotkey, common::read_hotkey(config, verb));
  TRY(const auto ledger, chain::connect_as(hotkey.account(), config.chain_endpoint,
                                           node.hparams.netuid, common::patience_of(verb), clock));
  const std::filesystem::path journal = config.data / "journal";
  TRY_VOID(common::make_folder(journal));
  Worker worker({.hparams = node.hparams,
                 .ledger = *ledger,
                 .clock = clock,
                 .hotkey = hotkey,
                 .bucket = *node.bucket,
                 .local = *node.local,
                 .folder = journal,
                 .open_store = train::peer_store_opener(),
                 .training_sets = node.training_sets,
                 .learner = *learner,
                 .codec = *node.codec,
                 .initial_model = config.initial_model});
  worker.on_status(
      [&config](const MinerStatus& status) { common::write_status(config, status_json(status)); });
  TRY_VOID(worker.announce(config.public_bucket));
  common::log_info("mining as {} on {}, {} parameters", hotkey.account().ss58(),
                   config.chain_endpoint, learner->optimiser().range().size);
  TRY_VOID(chain::run_windows(*ledger, clock, node.hparams.schedule,
                              [&worker](Window window) { return worker.step(window); }));
  common::log_info("stopped");
  return common::kOk;
}

Result<int> status(const CLI::App& verb) {
  TRY(const NodeConfig config, common::config_of(verb));
  TRY(const json shown, common::read_status(config));
  std::cout << shown.dump(2) << "\n";
  return common::kOk;
}

}  // namespace
}  // namespace miner

int main(int argc, char** argv) {
  int exit_code = 0;
  CLI::App app("Trains the network's model on this machine, uploads compressed updates, earns.",
               "muster-miner");
  app.set_version_flag("--version", "muster-miner " MUSTER_VERSION);
  app.require_subcommand(1);
  common::add_node_flags(common::add_verb(
      app, exit_code,
      {"run", "Mine until stopped (Ctrl-C or SIGTERM)", "muster-miner run --config node.json"},
      miner::run));
  common::add_node_flags(common::add_verb(
      app, exit_code,
      {"status", "What the running node does, as JSON", "muster-miner status --config node.json"},
      miner::status));
  miner::add_plan_verb(app, exit_code);
  return common::run_program(app, exit_code, argc, argv);
}
