// Independent pieces of work on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

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
