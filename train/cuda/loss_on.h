// The loss over the vocabulary on a machine: the logits of some positions in fp32, then their
// gradient in the precision of activations, then two products; never those of all positions.
#pragma once

#include <algorithm>

#include "train/cuda/loss_kernels.h"
#include "train/cuda/memory.h"
#include "train/cuda/product.h"
#include "train/cuda/room.h"

namespace train::cuda {

template <class Machine, typename Value>
class LossOn {
 public:
  explicit LossOn(Machine& machine) : machine_(machine), logits_(machine), d_logits_(machine) {}

  // Backend::vocabulary_loss; `weight` (V, C) as products read it.
  void run(float* losses, Value* d_x, float* d_weight, const Value* x, const void* weight, int V,
           int C, const uint32_t* target, int N, float scale) {
    const int at_once = loss_positions(machine_.logits_at_once(), V);
    for (int first = 0; first < N; first += at_once) {
      const int count = std::min(at_once, N - first);
      const auto size = static_cast<size_t>(count) * static_cast<size_t>(V);
      float* const logits = logits_.template of<float>(size);
      const Value* const rows = x + int64_t{first} * C;
      Value* const d_logits = d_x == nullptr ? nullptr : d_logits_.template of<Value>(size);
      machine_.multiply({.out = logits,
                         .a = rows,
                         .b = weight,
                         .b_transposed = true,
                         .type = kType,
                         .M = count,
                         .N = V,
                         .K = C});
      machine_.template launch<SoftmaxLoss<Value>>(count, {.losses = losses + first,
                                                           .d_logits = d_logits,
                                                           .logits = logits,
                                                           .target = target + first,
                                                           .V = V,
                                                           .scale = scale,
                                                           .together = V % 4 == 0});
      if (d_x != nullptr)
        differentiate(d_x + int64_t{first} * C, d_weight, d_logits, rows, weight, V, C, count);
    }
  }

 private:
  static constexpr Precision kType =
      std::is_same_v<Value, float> ? Precision::kFp32 : Precision::kBf16;

  void differentiate(Value* d_x, float* d_weight, const Value* d_logits, const Value* x,
                     const void* weight, int V, int C, int count) {
    machine_.multiply({.out = d_x,
                       .out_type = kType,
                       .a = d_logits,
                       .b = weight,
                       .type = kType,
                       .M = count,
                       .N = C,
                       .K = V});
    machine_.multiply({.out = d_weight,
                       .a = d_logits,
                       .a_transposed = true,
                       .b = x,
                       .type = kType,
                       .M = V,
                       .N = C,
                       .K = count,
                       .addend = d_weight,
                       .keep = 1});
  }

  Machine& machine_;
  Room<Machine> logits_;
  Room<Machine> d_logits_;
};

}  // namespace train::cuda
