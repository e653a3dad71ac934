// Element-wise work on one row of activations, stored as fp32 or as bf16: loaded as fp32, worked on
// in fp32, rounded once when stored. In the widest vectors of the machine (Highway chooses at run
// time). Rows are unaligned and of any length; sums are taken in an order that depends on the
// vector width alone. A row that holds NaN or infinity gives NaN.
#pragma once

#include "train/bf16.h"

namespace train::cpu {

// The largest of some logits, and the sum of exp(logit - largest). Of one logit: itself, and 1.
struct LogSum {
  float top;
  float sum;
};

template <typename Value>  // float or Bf16
struct RowKernels {
  // See Backend::rmsnorm_forward; returns rstd.
  float (*rmsnorm)(Value* out, const Value* x, const float* weight, int C, float epsilon);
  // d_x += ..., d_weight += ...
  void (*rmsnorm_backward)(Value* d_x, float* d_weight, const Value* d_out, const Value* x,
                           const float* weight, float rstd, int C);

  void (*swiglu)(Value* out, const Value* gate, const Value* up, int F);
  void (*swiglu_backward)(Value* d_gate, Value* d_up, const Value* d_out, const Value* gate,
                          const Value* up, int F);

  // Turns `heads` heads of D values, one after the other; `direction` is 1, or -1 to turn back.
  void (*rope)(Value* row, const float* cosine, const float* sine, int heads, int D,
               float direction);

  // Of fp32 logits in cache, some of a row's.  Pre: size > 0.
  LogSum (*log_sum)(const float* logits, int size);
  // out = logits - top, to be stored: what is near the top, and weighs most, is rounded least.
  void (*below_top)(Value* out, const float* logits, float top, int size);
  // row = factor * exp(row - top): softmax, where factor is 1 / sum.
  void (*softmax)(Value* row, float top, float factor, int size);

  // out += x;  out = x, rounded;  out = x, widened
  void (*add)(float* out, const Value* x, int size);
  void (*narrow)(Value* out, const float* x, int size);
  void (*widen)(float* out, const Value* x, int size);
  // Whether none is NaN or infinite.
  bool (*finite)(const Value* values, int size);
};

// For the machine this runs on.
template <typename Value>
RowKernels<Value> row_kernels();
template <>
RowKernels<float> row_kernels<float>();
template <>
RowKernels<Bf16> row_kernels<Bf16>();

}  // namespace train::cpu
