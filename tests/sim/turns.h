// Time turned by hand: many nodes, each on a thread of its own, of which exactly one runs at any
// moment.
//
// A node runs until it sleeps; then the node that wakes first runs, and time is that moment. So a
// whole subnet is deterministic: the same seed gives the same interleaving, on any machine, however
// busy.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "common/clock.h"

namespace sim {

using common::Instant;
using common::milliseconds;

// Thrown out of a sleep or a store's call: the node's process was killed at this very point.
struct Killed {};

class Turns {
 public:
  explicit Turns(Instant start) : now_(start) {}

  // Adds a node that will first run at once; returns its number. Call before its thread starts.
  size_t add();
  // On the node's thread: waits for the first turn; and at its end.
  void begin(size_t node);
  void end(size_t node);
  // On the node's thread: gives the turn away until `span` has passed.
  void sleep(size_t node, milliseconds span);

  // On the scheduler's thread: lets the node that wakes first run until it sleeps again or ends.
  // `before` is told the new time first (to make blocks). False if nobody is left, or the next
  // would wake after `until`.
  bool step(Instant until, const std::function<void(Instant)>& before);
  // The same for one node alone, whatever others wait; false once it has ended.
  bool step_only(size_t node, const std::function<void(Instant)>& before);

  Instant moment() const;

 private:
  enum class State { kWaiting, kRunning, kEnded };
  struct Node {
    State state = State::kWaiting;
    Instant wake;
  };

  void run_until_it_waits(size_t node, const std::function<void(Instant)>& before);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Node> nodes_;
  Instant now_;
};

// A node's own clock: the world's time, with a skew of its own. May be told to kill its node.
class NodeClock final : public common::Clock {
 public:
  NodeClock(Turns& turns, size_t node, milliseconds skew)
      : turns_(turns), node_(node), skew_(skew) {}

  Instant now() override { return turns_.moment() + skew_; }
  bool sleep(milliseconds span) override;
  bool stop_requested() override { return stop_; }

  // Every sleep and every store call is one operation; the kill comes at number `operation` from
  // now, 0 is never.
  void kill_after(uint64_t operation) { kill_in_ = operation; }
  void count_operation();
  void request_stop() { stop_ = true; }
  uint64_t operations() const { return operations_; }

 private:
  Turns& turns_;
  size_t node_;
  milliseconds skew_;
  uint64_t kill_in_ = 0;
  uint64_t operations_ = 0;
  bool stop_ = false;
};

}  // namespace sim
