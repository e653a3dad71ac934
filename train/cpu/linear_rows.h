// What becomes of a row of a finished block of a product, in the widest vectors of the machine.
#pragma once

#include "train/bf16.h"

namespace train::cpu {

// out = sums (+ residual, unless it is null; may be `out` itself), rounded once to bf16. `stream`
// keeps `out` out of the caches, where its address allows.
void round_row(Bf16* out, const float* sums, const Bf16* residual, int size, bool stream);

// After the last streamed row: what was streamed is seen by other threads no later than what
// follows.
void end_stream();

// out += sums
void add_sums_row(float* out, const float* sums, int size);

}  // namespace train::cpu
