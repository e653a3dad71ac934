// Independent pieces of work on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/result.h"

namespace compress {

// Which piece to take next.
class Pieces {
 public:
  explicit Pieces(size_t count) : count_(count) {}
  // False when all are taken.
  bool take(size_t& piece) {
    piece = next_.fetch_add(1, std::memory_order_relaxed);
    return piece < count_;
  }

 private:
  std::atomic<size_t> next_ = 0;
  size_t count_;
};

// The first trouble of several threads.
class Trouble {
 public:
  void note(common::Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    any_ = true;
  }
  bool any() const { return any_; }
  // When all threads are done.
  common::Result<void> result() const {
    if (error_) return *error_;
    return {};
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> any_ = false;
  std::optional<common::Error> error_;
};

// Calls worker(pieces) on `threads` threads, the caller's among them, and returns when all have
// returned. A worker makes its scratch memory, then takes pieces until there are none. What comes
// out must not depend on who took which.
template <typename Worker>
void in_parallel(size_t count, uint32_t threads, const Worker& worker) {
  Pieces pieces(count);
  std::vector<std::jthread> others;
  const size_t wanted = std::min<size_t>(threads, count);
  for (size_t i = 1; i < wanted; ++i) others.emplace_back([&] { worker(pieces); });
  worker(pieces);
}

}  // namespace compress
