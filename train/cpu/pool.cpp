#include "train/cpu/pool.h"

#include "common/check.h"

namespace train::cpu {

Pool::Pool(int threads) {
  CHECK(threads > 0);
  for (int worker = 1; worker < threads; ++worker) {
    workers_.emplace_back([this, worker] { serve(worker); });
  }
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  begun_.notify_all();
}

void Pool::run(int count, Call call, const void* context) {
  if (workers_.empty() || count <= 1) {
    for (int index = 0; index < count; ++index) call(context, index, 0);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    call_ = call;
    context_ = context;
    count_ = count;
    next_ = 0;
    busy_ = static_cast<int>(workers_.size());
    ++round_;
  }
  begun_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return busy_ == 0; });
}

void Pool::work(int worker) {
  for (int index = next_++; index < count_; index = next_++) call_(context_, index, worker);
}

void Pool::serve(int worker) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begun_.wait(lock, [&] { return closing_ || round_ != seen; });
    if (closing_) return;
    seen = round_;
    lock.unlock();
    work(worker);
    lock.lock();
    if (--busy_ == 0) ended_.notify_one();
  }
}

}  // namespace train::cpu
