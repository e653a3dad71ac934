// The CPU's arithmetic: OpenBLAS for products of matrices, Highway for the rest, fp32 throughout.
#pragma once

#include <memory>

#include "train/backend.h"

namespace train {

// Works with `threads` threads, the caller's among them.  Pre: threads > 0.
// Work is cut into blocks of a size that does not depend on `threads`, so the bits do not either.
// Waiting threads sleep: several processes may share the cores. OpenBLAS itself is told to use one
// thread, for the whole process.
std::unique_ptr<Backend> make_cpu_backend(int threads);

}  // namespace train
