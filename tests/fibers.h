// Threads that are run one at a time, each until it waits for others: on the host, on one core, in
// an order that is known. For tests of code for cards: a barrier that is missing, or that not all
// threads reach, shows in one of the orders, or because nobody can go on (CHECK).
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace tests {

struct Barrier {
  uint32_t wanted = 0;
  uint32_t arrived = 0;
  uint64_t opened = 0;  // So many times.
};

class Fibers {
 public:
  using Turn = std::function<uint32_t(uint32_t)>;

  // Runs body(t) for each t below `count`. Whose turn it is: the first in the order turn(0),
  // turn(1), ... (each t once) that does not wait; from the first again when a barrier has opened,
  // so that some run ahead of others as far as barriers let them.
  static void run(uint32_t count, const Turn& turn, const std::function<void(uint32_t)>& body);
  // Called by one that runs.
  static void wait(Barrier& barrier);

 private:
  struct Fiber {
    ucontext_t context;
    std::vector<uint8_t> stack;
    const Barrier* at = nullptr;
    uint64_t opened = 0;  // Of that barrier, when it was reached.
    bool is_done = false;
  };
  static void enter();

  static Fibers* running_;
  ucontext_t scheduler_;
  std::vector<Fiber> fibers_;
  uint32_t now_ = 0;
  bool has_opened_ = false;  // The one that ran last, a barrier.
  const std::function<void(uint32_t)>* body_ = nullptr;
};

}  // namespace tests
