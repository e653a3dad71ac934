// Threads that are run one at a time, each until it waits for others: on the host, on one core, in
// an order that is known.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/train/cuda_emulation.h"

namespace train::cuda {

struct Barrier {
  int wanted = 0;
  int arrived = 0;
  int64_t opened = 0;  // So many times.
};

// Threads of which one runs at a time, until it waits.
class Fibers {
 public:
  // Runs body(t) for each t below `count`.
  static void run(Turns turns, int count, const std::function<void(int)>& body);
  // Called by one that runs.
  static void wait(Barrier& barrier);

 private:
  struct Fiber {
    ucontext_t context;
    std::vector<uint8_t> stack;
    const Barrier* at = nullptr;
    int64_t opened = 0;  // Of that barrier, when it was reached.
    bool is_done = false;
  };
  static void enter();

  static Fibers* running_;
  ucontext_t scheduler_;
  std::vector<Fiber> fibers_;
  int now_ = 0;
  bool has_opened_ = false;  // The one that ran last, a barrier.
  const std::function<void(int)>* body_ = nullptr;
};

}  // namespace train::cuda
