// Collectives of ranks that share memory.
#pragma once

#include <span>

#include "train/communicator.h"

namespace train {

// Carries out what all ranks have begun; one Collective a rank, by rank, that agree.
// Sums are made a block at a time, so that an output may be an input.
void carry_out(std::span<const Collective> of_ranks);

}  // namespace train
