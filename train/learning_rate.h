// How large a step is: a pure function of the hparams and the clock (W6).
#pragma once

#include <cstdint>

#include "common/hparams.h"
#include "common/window.h"

namespace train {

// Whether `window` is of the last part of a run, the annealing: another schedule, on another data
// set.
bool anneals(const common::InnerParams& params, common::Window window);

// The learning rate of inner step `step` (from 0) of a window. With now = window * steps + step:
//
//   main     time = now, less what of [flat_window, flat_window + flat_windows) has passed
//            rate * (time + 1) / warmup            time < warmup = warmup_windows * steps: the
//            first
//                                                  step learns already, the last has the full rate
//            rate * (final_ratio + (1 - final_ratio) * (1 + cos(pi * way)) / 2),
//            way = (time - warmup) / (decay - warmup)        decay = decay_windows * steps
//            rate * final_ratio                    from then on
//   anneal   peak = rate * anneal_ratio,  since = now - anneal_window * steps
//            peak * (since + 1) / anneal_warmup_steps        since < anneal_warmup_steps
//            peak * (total - since) / (total - anneal_warmup_steps)  total = anneal_windows * steps
//            0                                     from then on: nothing moves any more
double learning_rate(const common::InnerParams& params, common::Window window, uint32_t step);

}  // namespace train
