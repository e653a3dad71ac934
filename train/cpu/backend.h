// The CPU's arithmetic, in two precisions. Element-wise work by Highway; products by OpenBLAS in
// fp32, by our own tiles in bf16 (AMX, AVX-512 or whatever vectors there are).
#pragma once

#include <memory>

#include "train/backend.h"

namespace train {

// Works with `threads` threads, the caller's among them.  Pre: threads > 0.
// Work is cut into blocks of a size that does not depend on `threads`, so the bits do not either.
// Waiting threads sleep: several processes may share the cores. OpenBLAS itself is told to use one
// thread, for the whole process. bf16 works on every machine, but see train/cpu/processor.h for
// where it pays.
std::unique_ptr<Backend> make_cpu_backend(int threads, Precision precision = Precision::kFp32);

}  // namespace train
