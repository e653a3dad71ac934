// The mean of a tile on its way to memory (compress/simd/sum.h), compiled once for each instruction
// set.
//
// No `#pragma once`: as lanes.inl.
#if defined(COMPRESS_SIMD_MEAN_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef COMPRESS_SIMD_MEAN_INL_
#undef COMPRESS_SIMD_MEAN_INL_
#else
#define COMPRESS_SIMD_MEAN_INL_
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstdint>

#include "compress/simd/lanes.inl"
#include "compress/simd/sum.h"

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;

// One row times `share`; kStream: past the caches, for `to` is whole lines.
template <bool kStream>
HWY_INLINE void write_row(float share, uint32_t cols, float* from, float* to) {
  const auto factor = hn::Set(Floats(), share);
  uint32_t i = 0;
  for (; i + lanes() <= cols; i += static_cast<uint32_t>(lanes())) {
    const auto mean = hn::Mul(hn::LoadU(Floats(), from + i), factor);
    if (kStream) {
      hn::Stream(mean, Floats(), to + i);
    } else {
      hn::StoreU(mean, Floats(), to + i);
    }
    hn::StoreU(hn::Zero(Floats()), Floats(), from + i);
  }
  for (; i < cols; ++i) {
    to[i] = from[i] * share;
    from[i] = 0;
  }
}

constexpr uint32_t kLine = 16;  // Values of a cache line.

// How many values stand before the first whole line.
HWY_INLINE uint32_t before_line(const float* to) {
  return static_cast<uint32_t>(-(reinterpret_cast<uintptr_t>(to) / sizeof(float)) % kLine);
}

// Whether all rows are whole lines.
HWY_INLINE bool in_lines(const MeanRows& mean) {
  return before_line(mean.to) == 0 && mean.cols % kLine == 0 && mean.stride % kLine == 0;
}

// The lines that rows share with their neighbours: they are read before they are written.
HWY_INLINE void ask_for_ends(const MeanRows& mean, uint32_t first, uint32_t last) {
  if (in_lines(mean)) return;
  for (uint32_t r = first; r < std::min(last, mean.rows); ++r) {
    const float* const to = mean.to + r * mean.stride;
    __builtin_prefetch(to, 1);
    __builtin_prefetch(to + mean.cols - 1, 1);
  }
}

HWY_INLINE void write_shares(MeanRows& mean, uint32_t rows) {
  if (rows <= mean.written) return;
  const uint32_t cols = mean.cols;
  for (uint32_t r = mean.written; r < rows; ++r) {
    float* const from = mean.sum->value + r * cols;
    float* const to = mean.to + r * mean.stride;
    const uint32_t head = std::min(cols, before_line(to));
    const uint32_t lines = (cols - head) / kLine * kLine;
    write_row<false>(mean.share, head, from, to);
    write_row<true>(mean.share, lines, from + head, to + head);
    write_row<false>(mean.share, cols - head - lines, from + head + lines, to + head + lines);
  }
  ask_for_ends(mean, rows, 2 * rows - mean.written + 1);
  mean.written = rows;
}

void write_by_senders(MeanRows& mean, uint32_t rows) {
  if (rows <= mean.written) return;
  const uint32_t cols = mean.cols;
  for (uint32_t r = mean.written; r < rows; ++r) {
    for (uint32_t c = 0; c < cols; ++c) {
      const uint32_t at = r * cols + c;
      mean.to[r * mean.stride + c] = mean.sum->value[at] * mean.shares[mean.sum->senders[at]];
    }
  }
  const uint32_t first = mean.written * cols;
  const uint32_t count = (rows - mean.written) * cols;
  std::fill_n(mean.sum->value + first, count, 0.0f);
  std::fill_n(mean.sum->senders + first, count, uint16_t{0});
  mean.written = rows;
}

HWY_INLINE void write_here(MeanRows& mean, uint32_t rows) {
  if (mean.shares != nullptr) {
    write_by_senders(mean, rows);
  } else {
    write_shares(mean, rows);
  }
}

// A mean whose rows are whole lines, a few lines at each step of something else: a core that writes
// many at once waits for memory.
class MeanLines {
 public:
  // What is left of it, in no more than `steps`.
  HWY_INLINE MeanLines(MeanRows& mean, uint32_t steps) : mean_(mean), share_(mean.share) {
    if (mean.written == mean.rows || !in_lines(mean)) return;
    from_ = mean.sum->value + mean.written * mean.cols;
    to_ = mean.to + mean.written * mean.stride;
    row_left_ = mean.cols;
    lines_left_ = (mean.rows - mean.written) * (mean.cols / kLine);
    at_once_ = (lines_left_ + steps - 1) / steps;
  }

  // Or else it is left to others.
  HWY_INLINE bool writes() const { return at_once_ != 0; }

  HWY_INLINE void step() {
    for (uint32_t i = 0; i < at_once_ && lines_left_ != 0; ++i) write_line();
  }
  // Completes the row that was begun.
  HWY_INLINE void end_row() {
    if (!writes()) return;
    while (row_left_ != mean_.cols) write_line();
    mean_.written = mean_.rows - lines_left_ / (mean_.cols / kLine);
  }

 private:
  HWY_INLINE void write_line() {
    write_row<true>(share_, kLine, from_, to_);
    from_ += kLine;
    to_ += kLine;
    --lines_left_;
    row_left_ -= kLine;
    if (row_left_ != 0) return;
    row_left_ = mean_.cols;
    to_ += mean_.stride - mean_.cols;
  }

  MeanRows& mean_;
  float share_;
  float* from_ = nullptr;
  float* to_ = nullptr;
  uint32_t row_left_ = 0;  // Values.
  uint32_t lines_left_ = 0;
  uint32_t at_once_ = 0;
};

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
