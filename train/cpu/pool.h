// Threads that share out the blocks of one operation, and sleep between operations.
//
// Why not OpenMP: its threads spin while they wait, and several nodes on the same cores then stand
// in each other's way unless every user sets OMP_WAIT_POLICY; nor can the thread sanitizer see into
// it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace train::cpu {

class Pool {
 public:
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls task(i, worker) once for every i in [0, count), in any order, and returns when all are
  // done. worker is in [0, threads()): whose scratch memory the call may use. Not reentrant; asks
  // for no memory.
  template <typename Task>
  void each(int count, const Task& task) {
    run(
        count,
        [](const void* context, int index, int worker) {
          (*static_cast<const Task*>(context))(index, worker);
        },
        &task);
  }

 private:
  using Call = void (*)(const void* context, int index, int worker);

  void run(int count, Call call, const void* context);
  void work(int worker);
  void serve(int worker);

  std::vector<std::jthread> workers_;
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable ended_;
  uint64_t round_ = 0;  // Guarded by mutex_, as are the next two.
  int busy_ = 0;
  bool closing_ = false;
  // Of the present round; written while nobody works.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_ = 0;
};

}  // namespace train::cpu
