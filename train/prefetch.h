// Samples fetched ahead of whoever trains on them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/result.h"
#include "train/dataset.h"

namespace train {

struct PrefetchOptions {
  // Fetches under way at a time. A range of a far bucket takes some 50 ms and a step of training
  // wants a sample every 0.2 s (20 minutes, 5,760 samples); four leave room for slow ones.
  uint32_t threads = 4;
  // Samples fetched and not yet taken, at most: 1,024 of 2,048 tokens are 8 MiB, and three minutes.
  uint32_t ahead = 1024;
};

// Hands out `samples` of a data set in their order. Of a bucket they are fetched in that order by
// threads of its own while the caller does something else; of a folder they are read when they are
// asked for, and there are no threads.
class Prefetcher {
 public:
  // `dataset` outlives it.  Pre: every sample is below dataset.sample_count().
  Prefetcher(const Dataset& dataset, std::span<const uint64_t> samples,
             const PrefetchOptions& options = {});
  // Waits for the fetches under way, one a thread at most; begins no other.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // The next sample; waits until it is there. One that could not be fetched ahead is asked for once
  // more now, and then its error is what Dataset::sample says.
  // Pre: fewer than samples.size() were taken. One thread calls.
  common::Result<std::vector<uint32_t>> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace train
