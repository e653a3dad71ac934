#include "train/prefetch.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "common/check.h"

namespace train {

using common::Result;
using Sample = Result<std::vector<uint32_t>>;

struct Prefetcher::State {
  State(const Dataset& set, std::span<const uint64_t> order, size_t ahead_max)
      : dataset(set), samples(order.begin(), order.end()), ahead(ahead_max) {}

  const Dataset& dataset;
  const std::vector<uint64_t> samples;
  const size_t ahead;

  std::mutex mutex;  // Of all that follows.
  std::condition_variable changed;
  std::map<size_t, Sample> fetched;  // By position in `samples`.
  size_t begun = 0;                  // Positions below are fetched or being fetched;
  size_t taken = 0;                  //   below this, handed out.
  bool stopping = false;
  std::vector<std::jthread> threads;  // Last: they end before what they use.

  void work() {
    while (true) {
      size_t position = 0;
      {
        std::unique_lock lock(mutex);
        changed.wait(
            lock, [this] { return stopping || begun == samples.size() || begun < taken + ahead; });
        if (stopping || begun == samples.size()) return;
        position = begun++;
      }
      Sample sample = dataset.sample(samples[position]);
      const std::lock_guard lock(mutex);
      fetched.emplace(position, std::move(sample));
      changed.notify_all();
    }
  }
};

Prefetcher::Prefetcher(const Dataset& dataset, std::span<const uint64_t> samples,
                       const PrefetchOptions& options)
    : state_(std::make_unique<State>(dataset, samples, options.ahead)) {
  CHECK(options.threads > 0 && options.ahead > 0);
  if (!dataset.is_remote()) return;
  const size_t count = std::min<size_t>(options.threads, samples.size());
  for (size_t i = 0; i < count; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
  }
}

Prefetcher::~Prefetcher() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
}

Result<std::vector<uint32_t>> Prefetcher::next() {
  CHECK(state_->taken < state_->samples.size());
  const size_t position = state_->taken;
  if (state_->threads.empty()) {
    ++state_->taken;
    return state_->dataset.sample(state_->samples[position]);
  }
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this, position] { return state_->fetched.contains(position); });
  Sample sample = std::move(state_->fetched.extract(position).mapped());
  ++state_->taken;
  state_->changed.notify_all();
  lock.unlock();
  if (sample) return sample;
  return state_->dataset.sample(state_->samples[position]);
}

}  // namespace train
