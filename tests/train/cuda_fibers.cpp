#include "tests/train/cuda_fibers.h"

#include "tests/train/cuda_emulated.h"
#include "train/cuda/backend_on.h"

namespace train::cuda {

Fibers* Fibers::running_ = nullptr;

void Fibers::enter() {
  Fibers& all = *running_;
  (*all.body_)(all.now_);
  all.fibers_[size_t(all.now_)].is_done = true;
}

void Fibers::run(Turns turns, int count, const std::function<void(int)>& body) {
  constexpr size_t kStackBytes = 64 << 10;
  Fibers all;
  all.fibers_.resize(size_t(count));
  all.body_ = &body;
  running_ = &all;
  for (Fiber& fiber : all.fibers_) {
    fiber.stack.resize(kStackBytes);
    CHECK(getcontext(&fiber.context) == 0);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = &all.scheduler_;
    makecontext(&fiber.context, &Fibers::enter, 0);
  }
  // The first that can, each time: so the first warp runs ahead as far as barriers let it.
  for (int i = 0; i < count; ++i) {
    all.now_ = turns == Turns::kForwards ? i : count - 1 - i;
    Fiber& fiber = all.fibers_[size_t(all.now_)];
    if (fiber.is_done || (fiber.at != nullptr && fiber.at->opened == fiber.opened)) continue;
    all.has_opened_ = false;
    CHECK(swapcontext(&all.scheduler_, &fiber.context) == 0);
    if (all.has_opened_) i = -1;
  }
  for (const Fiber& fiber : all.fibers_) {
    CHECK_MSG(fiber.is_done, "some threads wait at a barrier that others do not reach");
  }
  running_ = nullptr;
}

void Fibers::wait(Barrier& barrier) {
  Fiber& fiber = running_->fibers_[size_t(running_->now_)];
  fiber.at = &barrier;
  fiber.opened = barrier.opened;
  if (++barrier.arrived == barrier.wanted) {
    barrier.arrived = 0;
    ++barrier.opened;
    running_->has_opened_ = true;
  }
  CHECK(swapcontext(&fiber.context, &running_->scheduler_) == 0);
}

std::unique_ptr<Backend> make_fiber_backend(Precision precision, bool backwards, bool copies_late) {
  FiberMachine machine(backwards ? Turns::kBackwards : Turns::kForwards, copies_late);
  if (precision == Precision::kBf16) {
    return std::make_unique<BackendOn<FiberMachine, Bf16>>(std::move(machine));
  }
  return std::make_unique<BackendOn<FiberMachine, float>>(std::move(machine));
}

}  // namespace train::cuda
