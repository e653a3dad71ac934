#include "train/cpu/vocabulary_loss.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "train/batch.h"
#include "train/cpu/blocks.h"
#include "train/cpu/linear_bf16.h"
#include "train/cpu/linear_fp32.h"

namespace train::cpu {
namespace {

int positions_at_once(int V) {
  return std::clamp(kLogitsMax / V / kPanel * kPanel, kPanel, kLossPositions);
}

}  // namespace

template <typename Value, typename Linear>
void VocabularyLoss<Value, Linear>::run(float* losses, Value* d_x, float* d_weight, const Value* x,
                                        const Weight& weight, const uint32_t* target, int N,
                                        float scale) {
  const int V = weight.O;
  const int C = weight.C;
  const int at_once = d_x == nullptr ? kLossPositions : positions_at_once(V);
  if (d_x != nullptr) {
    logits_.reserve(1, static_cast<size_t>(std::min(N, at_once)) * static_cast<size_t>(V));
  }
  for (int first = 0; first < N; first += at_once) {
    const int count = std::min(at_once, N - first);
    const Value* rows = row_of(x, first, C);
    if (d_x == nullptr) {
      forward(losses + first, nullptr, rows, weight, target + first, count);
      continue;
    }
    Value* const logits = logits_.of(0);
    forward(losses + first, logits, rows, weight, target + first, count);
    pool_.each(count, [&](int n, int) {
      differentiate(row_of(logits, n, V), n, target[first + n], V, scale);
    });
    linear_.backward(row_of(d_x, first, C), d_weight, logits, rows, weight, count);
  }
}

template <typename Value, typename Linear>
void VocabularyLoss<Value, Linear>::forward(float* losses, Value* logits, const Value* x,
                                            const Weight& weight, const uint32_t* target, int N) {
  const int V = weight.O;
  const int width = linear_.block_columns();
  const int column_blocks = blocks(V, width);
  sums_.resize(static_cast<size_t>(N) * static_cast<size_t>(column_blocks));
  chosen_.resize(static_cast<size_t>(N));
  totals_.resize(static_cast<size_t>(N));
  const auto keep = [&](const FinishedBlock& block) {
    for (int i = 0; i < block.rows; ++i) {
      const int n = block.row + i;
      const float* const row = block.values + i * block.stride;
      const LogSum sum = kernels_.log_sum(row, block.columns);
      row_of(sums_.data(), n, column_blocks)[block.column / width] = sum;
      const int64_t place = int64_t{target[n]} - block.column;
      if (place >= 0 && place < block.columns) chosen_[static_cast<size_t>(n)] = row[place];
      if (logits != nullptr) {
        kernels_.below_top(row_of(logits, n, V) + block.column, row, sum.top, block.columns);
      }
    }
  };
  linear_.forward_blocks(keep, x, weight, N);
  each_row(pool_, N, [&](int n) { finish(losses, n, column_blocks, target[n]); });
}

template <typename Value, typename Linear>
void VocabularyLoss<Value, Linear>::finish(float* losses, int n, int column_blocks,
                                           uint32_t target) {
  const std::span<const LogSum> parts(row_of(sums_.data(), n, column_blocks),
                                      static_cast<size_t>(column_blocks));
  float top = parts[0].top;
  for (const LogSum& part : parts) top = std::max(top, part.top);
  float sum = 0;
  for (const LogSum& part : parts) sum += part.sum * std::exp(part.top - top);
  const auto at = static_cast<size_t>(n);
  totals_[at] = {top, sum};
  losses[n] = target == kNoTarget ? 0.0F : top + std::log(sum) - chosen_[at];
}

template <typename Value, typename Linear>
void VocabularyLoss<Value, Linear>::differentiate(Value* row, int n, uint32_t target, int V,
                                                  float scale) {
  if (target == kNoTarget) {
    std::fill_n(row, V, Value{});
    return;
  }
  const auto [top, sum] = totals_[static_cast<size_t>(n)];
  const float factor = scale / sum;
  const int width = linear_.block_columns();
  const LogSum* const parts = row_of(sums_.data(), n, blocks(V, width));
  for (int first = 0; first < V; first += width) {
    kernels_.softmax(row + first, top - parts[first / width].top, factor,
                     std::min(width, V - first));
  }
  const float d_chosen = factor * std::exp(chosen_[static_cast<size_t>(n)] - top) - scale;
  kernels_.narrow(row + target, &d_chosen, 1);
}

template class VocabularyLoss<float, LinearFp32>;
template class VocabularyLoss<Bf16, LinearBf16>;

}  // namespace train::cpu
