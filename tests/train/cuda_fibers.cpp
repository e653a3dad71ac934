#include "tests/train/cuda_fibers.h"

#include "tests/train/cuda_emulated.h"
#include "train/cuda/backend_on.h"

namespace train::cuda {

std::unique_ptr<Backend> make_fiber_backend(Precision precision, bool backwards, bool copies_late) {
  FiberMachine machine(backwards ? Turns::kBackwards : Turns::kForwards, copies_late);
  if (precision == Precision::kBf16) {
    return std::make_unique<BackendOn<FiberMachine, Bf16>>(std::move(machine));
  }
  return std::make_unique<BackendOn<FiberMachine, float>>(std::move(machine));
}

}  // namespace train::cuda
