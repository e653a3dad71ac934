// How a run ended.
#pragma once

#include <string>

#include "deploy/net/plan.h"
#include "deploy/net/view.h"

namespace deploy {

struct Report {
  uint64_t windows = 0;           // Of this run, in which the network learned something.
  double seconds = 0;             // From the start of the ledger to the last root.
  double heldout_loss_first = 0;  // Of this run's windows and, in a kept folder, those before.
  double heldout_loss_last = 0;
  bool state_roots_equal = false;  // After the last window, on every node.
  std::string state_root;
  bool audit_ok = false;       // Every validator's scores, recomputed from its evidence.
  uint32_t restart_count = 0;  // How often a program had to be started again.
  uint64_t parameter_count = 0;
  std::vector<std::string> audits;  // One sentence a validator.
  View view;                        // The last one.
};

// Runs `muster-validator audit` on every validator's scores; the validators have stopped.
Result<void> audit_all(const Plan& plan, Report& report);

std::string render_report(const Report& report);
// One line.
std::string report_json(const Report& report);

}  // namespace deploy
