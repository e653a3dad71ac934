// muster: keys, the chain, data sets and models, for anybody. Every room brings its own verbs; here
// they become a program.
#include <CLI/CLI.hpp>

#include "chain/commands.h"
#include "common/verb.h"
#include "train/commands.h"

namespace {

constexpr const char* kWhat =
    "Muster: training one large language model together with strangers.\n"
    "Keys, the chain, data sets and models; `muster-miner` and `muster-validator` take part.";
constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 trouble, said in a sentence on standard error; 2 wrong usage or input.\n"
    "Example:\n  muster wallet new --wallet.name alice";

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  CLI::App app(kWhat, "muster");
  app.footer(kExitCodes);
  app.set_version_flag("--version", "muster " MUSTER_VERSION);
  app.require_subcommand(1);
  chain::add_wallet_verbs(app, exit_code);
  chain::add_chain_verbs(app, exit_code);
  chain::add_payment_verbs(app, exit_code);
  chain::add_ledger_verb(app, exit_code);
  train::add_data_verbs(app, exit_code);
  train::add_model_verbs(app, exit_code);
  chain::add_debug_verbs(app, exit_code);
  chain::add_completion_verb(app, exit_code);
  return common::run_program(app, exit_code, argc, argv);
}
