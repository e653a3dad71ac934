// The network's loss on the held-out set, as the evidence of a window has it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "validator/evidence.h"
#include "validator/score_store.h"

namespace validator {

// Nats a token of the state before the window: the mean over all held-out sequences that were
// measured, each once. Nothing if none was.
std::optional<double> heldout_loss(const WindowEvidence& evidence);

// (window, loss) of every stored window that has one, ascending: what a validator has seen, also
// before it was started again. Reads the whole store, some KiB a window. A record that cannot be
// read is left out: `audit` is who tells of it.
std::vector<std::pair<uint64_t, double>> heldout_history(const ScoreStore& scores);

}  // namespace validator
