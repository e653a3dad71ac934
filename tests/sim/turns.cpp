#include "tests/sim/turns.h"

#include <algorithm>
#include <optional>

namespace sim {

size_t Turns::add() {
  const std::lock_guard lock(mutex_);
  nodes_.push_back({State::kWaiting, now_});
  return nodes_.size() - 1;
}

void Turns::begin(size_t node) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return nodes_[node].state == State::kRunning; });
}

void Turns::end(size_t node) {
  const std::lock_guard lock(mutex_);
  nodes_[node].state = State::kEnded;
  changed_.notify_all();
}

void Turns::sleep(size_t node, milliseconds span) {
  std::unique_lock lock(mutex_);
  nodes_[node] = {State::kWaiting, now_ + std::max(span, milliseconds(1))};
  changed_.notify_all();
  changed_.wait(lock, [&] { return nodes_[node].state == State::kRunning; });
}

bool Turns::step(Instant until, const std::function<void(Instant)>& before) {
  std::optional<size_t> next;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].state != State::kWaiting) continue;
      if (!next || nodes_[i].wake < nodes_[*next].wake) next = i;
    }
    if (!next || nodes_[*next].wake > until) return false;
  }
  run_until_it_waits(*next, before);
  return true;
}

bool Turns::step_only(size_t node, const std::function<void(Instant)>& before) {
  run_until_it_waits(node, before);
  const std::lock_guard lock(mutex_);
  return nodes_[node].state != State::kEnded;
}

void Turns::run_until_it_waits(size_t node, const std::function<void(Instant)>& before) {
  std::unique_lock lock(mutex_);
  now_ = std::max(now_, nodes_[node].wake);
  const Instant now = now_;
  lock.unlock();
  before(now);
  lock.lock();
  nodes_[node].state = State::kRunning;
  changed_.notify_all();
  changed_.wait(lock, [&] { return nodes_[node].state != State::kRunning; });
}

Instant Turns::moment() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

bool NodeClock::sleep(milliseconds span) {
  if (stop_) return false;
  count_operation();
  turns_.sleep(node_, span);
  return !stop_;
}

void NodeClock::count_operation() {
  ++operations_;
  if (kill_in_ > 0 && --kill_in_ == 0) throw Killed{};
}

}  // namespace sim
