// Working memory of encoders that several threads use at once.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "train/bpe/model.h"
#include "train/bpe/regex.h"

namespace train::bpe {

// What one call works with. It remembers words, so it is used again.
struct Scratch {
  RegexScratch regex;
  ModelScratch model;
  std::string normalized;
};

// As many as there ever were calls at once; about 3 MiB each.
class ScratchPool {
 public:
  std::unique_ptr<Scratch> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Scratch>();
    auto taken = std::move(free_.back());
    free_.pop_back();
    return taken;
  }
  void give_back(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

}  // namespace train::bpe
