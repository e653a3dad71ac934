// Trouble is retried until the deadline, or the window is sat out.
#pragma once

#include <algorithm>

#include "common/clock.h"
#include "common/result.h"

namespace common {

// Trouble that may pass by itself. A wrong argument, a refusal, a missing object do not.
inline bool may_pass(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kIo ||
         code == Code::kCorrupt;
}

// Calls `attempt` until it succeeds, fails for good, or `deadline` is reached; waits in between, at
// first 100 ms and twice as long each time, at most five seconds. Always tries at least once;
// yields the last outcome.
template <typename Attempt>
auto retry_until(Clock& clock, Instant deadline, Attempt attempt) -> decltype(attempt()) {
  milliseconds wait{100};
  while (true) {
    auto outcome = attempt();
    if (outcome || !may_pass(outcome.error().code)) return outcome;
    if (clock.now() + wait > deadline || !clock.sleep(wait)) return outcome;
    wait = std::min(wait * 2, milliseconds(5000));
  }
}

}  // namespace common
