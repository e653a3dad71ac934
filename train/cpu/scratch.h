// Memory that an operation needs for a while, kept from call to call.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "common/check.h"

namespace train::cpu {

// `size` values for each of some workers, aligned to 64 bytes, not cleared. Grows when asked for
// more, and then forgets what it held.
template <typename Value>
class Scratch {
 public:
  void reserve(int workers, size_t size) {
    const size_t apart = (size * sizeof(Value) + kAlignment - 1) / kAlignment * kAlignment;
    if (static_cast<size_t>(workers) * apart > size_bytes_ || apart > apart_) {
      memory_.reset();
      size_bytes_ = static_cast<size_t>(workers) * apart;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, size_bytes_)));
      CHECK_MSG(memory_ != nullptr || size_bytes_ == 0, "out of memory");
      apart_ = apart;
    }
  }
  Value* of(int worker) {
    return reinterpret_cast<Value*>(memory_.get() + static_cast<size_t>(worker) * apart_);
  }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t size_bytes_ = 0;
  size_t apart_ = 0;  // Bytes from one worker's to the next.
};

}  // namespace train::cpu
