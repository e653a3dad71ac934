#include "tests/compress/cuda_fibers.h"

#include "compress/cuda/codec_on.h"
#include "tests/compress/cuda_emulated.h"

namespace compress::testing {

Fibers* Fibers::running_ = nullptr;

void Fibers::enter() {
  Fibers& all = *running_;
  (*all.body_)(all.now_);
  all.fibers_[all.now_].is_done = true;
}

void Fibers::run(Order order, uint32_t count, const std::function<void(uint32_t)>& body) {
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
  for (uint32_t done = 0; done < count;) {
    bool moved = false;
    done = 0;
    for (uint32_t i = 0; i < count; ++i) {
      all.now_ = nth(order, i, count);
      Fiber& fiber = all.fibers_[all.now_];
      const bool waits = fiber.at != nullptr && fiber.at->opened == fiber.opened;
      if (!fiber.is_done && !waits) {
        moved = true;
        CHECK(swapcontext(&all.scheduler_, &fiber.context) == 0);
      }
      done += fiber.is_done ? 1 : 0;
    }
    CHECK_MSG(moved || done == count, "some threads wait at a barrier that others do not reach");
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
  }
  CHECK(swapcontext(&fiber.context, &running_->scheduler_) == 0);
}

std::unique_ptr<CudaCodec> codec_on_fibers(const Layout& layout, Order order, PieceRange range) {
  return cuda::CodecOn<FiberMachine>::make(FiberMachine(order), layout, range).value();
}

}  // namespace compress::testing
