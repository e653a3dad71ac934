#include "chain/window_loop.h"

#include <algorithm>

#include "common/log.h"
#include "common/retry.h"

namespace chain {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;
using common::Window;

// The first window that can still be taken part in.
Result<Window> window_to_begin(Ledger& ledger, const common::ScheduleParams& schedule) {
  TRY(const Block head, ledger.head());
  const Window running = Window::of(head.number, schedule.blocks_per_window);
  const BlockNumber seal = running.block_at(schedule.seal_block, schedule.blocks_per_window);
  return head.number < seal ? running : running.next();
}

}  // namespace

Result<std::unique_ptr<Ledger>> connect_as(const AccountId& hotkey, std::string_view endpoint,
                                           uint16_t netuid, milliseconds patience,
                                           common::Clock& clock) {
  const common::Instant give_up = clock.now() + patience;
  while (true) {
    auto ledger = open_ledger(endpoint, netuid, clock);
    if (!ledger && ledger.error().code == Code::kInvalidArgument) return ledger;
    auto metagraph =
        ledger ? (*ledger)->metagraph(std::nullopt) : Result<Metagraph>(ledger.error());
    if (metagraph && metagraph->find(hotkey) != nullptr) return ledger;
    if (metagraph) {
      return Error{Code::kNotFound, "hotkey " + hotkey.ss58() + " is not registered on netuid " +
                                        std::to_string(netuid) + "; 'muster register' does that"};
    }
    if (!common::may_pass(metagraph.error().code)) return metagraph.error();
    if (clock.now() >= give_up) {
      return Error{metagraph.error().code, "no ledger answers at " + std::string(endpoint) +
                                               " within " +
                                               std::to_string(patience.count() / 1000) +
                                               " s: " + metagraph.error().message +
                                               "; name another with --subtensor.chain_endpoint"};
    }
    common::log_warning("{}; asking again", metagraph.error().message);
    if (!clock.sleep(milliseconds(1000))) return Error{Code::kCancelled, "told to stop"};
  }
}

Result<void> run_windows(Ledger& ledger, common::Clock& clock,
                         const common::ScheduleParams& schedule,
                         const std::function<Result<void>(Window)>& step) {
  Window done{0};
  bool any = false;
  while (!clock.stop_requested()) {
    auto window = window_to_begin(ledger, schedule);
    if (window) {
      const Window next = any ? std::max(*window, done.next()) : *window;
      if (any && next > done.next()) {
        common::log_warning("windows {} to {} were missed: window {} took too long",
                            done.next().index, next.index - 1, done.index);
      }
      auto stepped = step(next);
      if (stepped || stepped.error().code != Code::kUnavailable) any = true, done = next;
      if (stepped) continue;
      if (stepped.error().code == Code::kInvalidArgument) return stepped;
      if (stepped.error().code != Code::kCancelled) {
        common::log_error("window {}: sat out: {}", next.index, stepped.error().message);
      }
    } else {
      common::log_warning("{}; asking again", window.error().message);
    }
    if (!clock.sleep(milliseconds(500))) break;
  }
  return {};
}

}  // namespace chain
