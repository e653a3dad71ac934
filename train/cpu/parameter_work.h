// What is done to parameters, gradients and moments: long arrays of fp32, in runs of a fixed size.
#pragma once

#include <cstdint>
#include <vector>

#include "train/backend.h"
#include "train/bf16.h"
#include "train/cpu/pool.h"

namespace train::cpu {

// See train::Backend for each.
class ParameterWork {
 public:
  explicit ParameterWork(Pool& pool) : pool_(pool) {}

  double sum_of_squares(const float* values, uint64_t size);
  void combine(float* out, float a, const float* x, float b, const float* y, uint64_t size);
  void adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
             const AdamwStep& step);

 private:
  Pool& pool_;
  std::vector<double> sums_;
};

// Of parameters or of activations.
template <typename Value>  // float or Bf16
bool all_finite(Pool& pool, const Value* values, uint64_t size);

}  // namespace train::cpu
