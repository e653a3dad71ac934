// The running subnet: ledger and nodes as processes, kept running, and what they say of themselves.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/ledger.h"
#include "common/clock.h"
#include "deploy/net/plan.h"
#include "deploy/net/supervised.h"
#include "deploy/net/view.h"

namespace deploy {

class Subnet {
 public:
  // Starts the ledger, registers and stakes what is not yet, then starts the nodes. kCancelled if
  // the program is told to stop meanwhile; otherwise an error carries the end of the log of what
  // would not start. `plan` and `clock` outlive it.
  static Result<std::unique_ptr<Subnet>> start(const Plan& plan, common::Clock& clock);
  // One that is not started yet.
  Subnet(const Plan& plan, common::Clock& clock);
  ~Subnet() { stop(); }
  Subnet(const Subnet&) = delete;
  Subnet& operator=(const Subnet&) = delete;

  // Starts again what has ended by itself, and looks. A ledger or a node that does not answer
  // leaves the view as it was. kIo, with the end of its log, once the ledger is given up, or the
  // last validator or miner.
  Result<void> look();
  const View& view() const { return view_; }

  // The first window of this run: the one after that in which the nodes were started.
  uint64_t first_window() const { return first_window_; }
  // Every node's signed state root after `window`, in the order of the nodes; nothing where there
  // is none yet.
  std::vector<std::optional<common::Hash>> roots(common::Window window) const;
  // How often anything had to be started again.
  uint32_t restart_count() const;
  // Asks all to stop, the nodes first, and waits; kills what has not ended after eight seconds.
  void stop();

 private:
  Result<void> start_ledger();
  Result<void> register_all();
  Result<void> register_one(const Node& node);
  Result<void> start_nodes();
  Result<void> tend();
  std::string why() const;
  Result<void> look_at_chain();
  void look_at_node(size_t i);

  const Plan& plan_;
  common::Clock& clock_;
  std::unique_ptr<chain::Ledger> ledger_;
  Supervised ledger_process_;
  std::vector<Supervised> processes_;  // In the order of plan.nodes.
  std::map<common::AccountId, uint64_t> start_balance_;
  struct Sent {
    uint64_t by_earlier_processes = 0;
    uint64_t by_this_one = 0;
  };
  std::vector<Sent> sent_;
  uint64_t first_window_ = 0;
  View view_;
};

}  // namespace deploy
