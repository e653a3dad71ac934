// test_ledger DATA GENESIS PORT BLOCK_MS: run_ledger behind the plainest command line there can be.
// It ends with the test that has started it, however that ends.
#include <signal.h>
#include <sys/prctl.h>

#include <cstdlib>

#include "chain/ledger_command.h"
#include "common/log.h"

int main(int argc, char** argv) {
  if (argc != 5 || !common::start_log("ledger", "info")) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  chain::LedgerOptions options;
  options.data = argv[1];
  options.genesis = argv[2];
  options.port = static_cast<uint16_t>(std::atoi(argv[3]));
  options.block_time = common::milliseconds(std::atoi(argv[4]));
  return chain::run_ledger(options);
}
