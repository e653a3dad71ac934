// Memory that will be read soon, asked for while there is something else to do.
#pragma once

#include <cstdint>

namespace compress::simd {

// `rows` runs of `cols` values in each of two arrays, `stride` apart. Nothing is read: they may lie
// anywhere.
class Ahead {
 public:
  Ahead() = default;
  Ahead(const float* first, const float* second, uint64_t stride, uint32_t rows, uint32_t cols)
      : first_(first), second_(second), stride_(stride), rows_(rows), cols_(cols) {}

  // Asks for the next line of each. Called from inner loops, for a core can only wait for so many
  // lines at a time and stands still when it asks for more.
  void touch() {
    if (rows_ == 0) return;
    __builtin_prefetch(first_ + col_, 1, 2);
    __builtin_prefetch(second_ + col_, 0, 2);
    col_ += kLine;
    if (col_ < cols_) return;
    col_ = 0;
    first_ += stride_;
    second_ += stride_;
    --rows_;
  }

 private:
  static constexpr uint32_t kLine = 16;  // Values of a cache line.

  const float* first_ = nullptr;
  const float* second_ = nullptr;
  uint64_t stride_ = 0;
  uint32_t rows_ = 0;
  uint32_t cols_ = 0;
  uint32_t col_ = 0;
};

}  // namespace compress::simd
