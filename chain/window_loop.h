// Window after window, as long as the program runs.
#pragma once

#include <functional>

#include "chain/ledger.h"
#include "common/clock.h"
#include "common/hparams.h"

namespace chain {

// The ledger at `endpoint`, and that `hotkey` is registered there. Asks again for `patience` while
// nobody answers, then kUnavailable; kNotFound, with the command that registers, for a hotkey that
// is not.
Result<std::unique_ptr<Ledger>> connect_as(const AccountId& hotkey, std::string_view endpoint,
                                           uint16_t netuid, common::milliseconds patience,
                                           common::Clock& clock);

// Calls `step` for the window that is running (the next one, if its seal deadline is over) and for
// each after it, until the clock is told to stop. A step that fails is logged and sat out;
// kInvalidArgument ends the loop.
Result<void> run_windows(Ledger& ledger, common::Clock& clock,
                         const common::ScheduleParams& schedule,
                         const std::function<Result<void>(common::Window)>& step);

}  // namespace chain
