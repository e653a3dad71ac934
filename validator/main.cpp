// muster-validator: judges, scores, and says so on the chain.
#include <CLI/CLI.hpp>
#include <iostream>

#include "chain/window_loop.h"
#include "common/log.h"
#include "common/node_flags.h"
#include "common/verb.h"
#include "train/node_parts.h"
#include "validator/audit_verbs.h"
#include "validator/validator.h"

namespace validator {
namespace {

using common::Clock;
using common::Keypair;
using common::NodeConfig;
using nlohmann::json;

json peer_json(const PeerLine& peer) {
  return {{"uid", peer.uid.index},
          {"verdict", name(peer.verdict)},
          {"gain", peer.standing.last_gain},
          {"gain_error", peer.standing.last_gain_error},
          {"advantage", peer.standing.advantage},
          {"rating", peer.standing.mu},
          {"sigma", peer.standing.sigma},
          {"multiplier", peer.standing.multiplier},
          {"score", peer.score},
          {"weight", peer.weight}};
}

json status_json(const ValidatorStatus& status) {
  json peers = json::array();
  for (const PeerLine& peer : status.peers) peers.push_back(peer_json(peer));
  return {{"role", "validator"},
          {"phase", status.phase},
          {"window", status.window.index},
          {"uid", status.uid ? json(status.uid->index) : json()},
          {"lead", status.lead},
          {"state_root", status.state_root.hex()},
          {"heldout_loss", status.heldout_loss},
          {"heldout_history", status.heldout_history},
          {"windows_applied", status.windows_applied},
          {"peers", peers}};
}

Result<int> run(const CLI::App& verb) {
  TRY(const NodeConfig config, common::config_of(verb));
  TRY_VOID(common::start_log("validator", config.log_level));
  common::install_stop_signals();
  Clock& clock = common::system_clock();
  TRY(const train::NodeParts node, train::open_node(config));
  TRY_VOID(common::check_netuid(verb, node.hparams.netuid));
  TRY(const auto model, train::open_model(config, node));
  TRY(const train::Dataset heldout, train::open_heldout(config, node.hparams));
  TRY(const Keypair hotkey, common::read_hotkey(config, verb));
  TRY(ScoreStore scores,
      ScoreStore::open(config.data / "scores", node.hparams, ScoreStore::Mode::kReadWrite));
  TRY(const auto ledger, chain::connect_as(hotkey.account(), config.chain_endpoint,
                                           node.hparams.netuid, common::patience_of(verb), clock));
  Validator validator({.hparams = node.hparams,
                       .ledger = *ledger,
                       .clock = clock,
                       .hotkey = hotkey,
                       .bucket = *node.bucket,
                       .local = *node.local,
                       .open_store = train::peer_store_opener(),
                       .training_sets = node.training_sets,
                       .heldout_set = heldout,
                       .model = *model,
                       .codec = *node.codec,
                       .scores = scores,
                       .folder = config.data,
                       .initial_model = config.initial_model});
  validator.on_status([&config](const ValidatorStatus& status) {
    common::write_status(config, status_json(status));
  });
  TRY_VOID(validator.announce(config.public_bucket));
  common::log_info("validating as {} on {}", hotkey.account().ss58(), config.chain_endpoint);
  TRY_VOID(chain::run_windows(*ledger, clock, node.hparams.schedule,
                              [&validator](Window window) { return validator.step(window); }));
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
}  // namespace validator

int main(int argc, char** argv) {
  int exit_code = 0;
  CLI::App app("Judges miners' updates by how much they lower the loss, and sets weights.",
               "muster-validator");
  app.set_version_flag("--version", "muster-validator " MUSTER_VERSION);
  app.require_subcommand(1);
  common::add_node_flags(common::add_verb(app, exit_code,
                                          {"run", "Validate until stopped (Ctrl-C or SIGTERM)",
                                           "muster-validator run --config node.json"},
                                          validator::run));
  common::add_node_flags(common::add_verb(app, exit_code,
                                          {"status", "What the running node does, as JSON",
                                           "muster-validator status --config node.json"},
                                          validator::status));
  validator::add_audit_verbs(app, exit_code);
  return common::run_program(app, exit_code, argc, argv);
}
