// The loss over the vocabulary, and its gradient, without the logits of all positions.
//
// Without a gradient no logit is stored: each block of the product x weight^T leaves its largest
// logit and its sum of exponentials behind, in fp32, and these are put together in a fixed order.
// With a gradient, the logits of some positions are stored in the precision of activations, as
// their distance from the block's largest; their gradient takes their place.
#pragma once

#include <cstdint>
#include <vector>

#include "train/backend.h"
#include "train/cpu/pool.h"
#include "train/cpu/row_kernels.h"
#include "train/cpu/scratch.h"

namespace train::cpu {

// Logits stored at once: 64 MiB in fp32, 32 MiB in bf16. At a vocabulary of 32,000 they are of 512
// positions, at 262,144 of 64; never of fewer than 16.
inline constexpr int kLogitsMax = 1 << 24;
// Positions at once, whose statistics are kept (8 bytes for every 256 logits).
inline constexpr int kLossPositions = 512;

template <typename Value, typename Linear>
class VocabularyLoss {
 public:
  VocabularyLoss(Pool& pool, Linear& linear) : pool_(pool), linear_(linear) {}

  // See train::Backend::vocabulary_loss.
  void run(float* losses, Value* d_x, float* d_weight, const Value* x, const Weight& weight,
           const uint32_t* target, int N, float scale);

 private:
  // The losses of N positions; `logits` (N, V), unless it is null, with each less the top of its
  // block.
  void forward(float* losses, Value* logits, const Value* x, const Weight& weight,
               const uint32_t* target, int N);
  // Position n, from what its blocks left.
  void finish(float* losses, int n, int column_blocks, uint32_t target);
  // row = d_logits of position n.
  void differentiate(Value* row, int n, uint32_t target, int V, float scale);

  Pool& pool_;
  Linear& linear_;
  const RowKernels<Value> kernels_ = row_kernels<Value>();
  std::vector<LogSum> sums_;    // (N, column blocks)
  std::vector<float> chosen_;   // (N)  the target's logit
  std::vector<LogSum> totals_;  // (N)
  Scratch<Value> logits_;
};

}  // namespace train::cpu
