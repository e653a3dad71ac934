#include "tests/fibers.h"

#include "common/check.h"

namespace tests {

Fibers* Fibers::running_ = nullptr;

void Fibers::enter() {
  Fibers& all = *running_;
  (*all.body_)(all.now_);
  all.fibers_[all.now_].is_done = true;
}

void Fibers::run(uint32_t count, const Turn& turn, const std::function<void(uint32_t)>& body) {
  constexpr size_t kStackBytes = 64 << 10;
  Fibers all;
  all.fibers_.resize(count);
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
  for (uint32_t i = 0; i < count;) {
    all.now_ = turn(i);
    Fiber& fiber = all.fibers_[all.now_];
    ++i;
    if (fiber.is_done || (fiber.at != nullptr && fiber.at->opened == fiber.opened)) continue;
    all.has_opened_ = false;
    CHECK(swapcontext(&all.scheduler_, &fiber.context) == 0);
    if (all.has_opened_) i = 0;
  }
  for (const Fiber& fiber : all.fibers_) {
    CHECK_MSG(fiber.is_done, "some threads wait at a barrier that others do not reach");
  }
  running_ = nullptr;
}

void Fibers::wait(Barrier& barrier) {
  Fiber& fiber = running_->fibers_[running_->now_];
  fiber.at = &barrier;
  fiber.opened = barrier.opened;
  if (++barrier.arrived == barrier.wanted) {
    barrier.arrived = 0;
    ++barrier.opened;
    running_->has_opened_ = true;
  }
  CHECK(swapcontext(&fiber.context, &running_->scheduler_) == 0);
}

}  // namespace tests
