// The card's backend on the emulated card.
#pragma once

#include <memory>

#include "train/backend.h"

namespace train::cuda {

// Threads and blocks take their turns from the first to the last, or the other way round.
std::unique_ptr<Backend> make_emulated_backend(Precision precision, bool backwards = false);

// The same, thread by thread (tests/train/cuda_fibers.h): slower.
std::unique_ptr<Backend> make_fiber_backend(Precision precision, bool backwards, bool copies_late);

}  // namespace train::cuda
