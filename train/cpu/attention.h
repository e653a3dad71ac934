// Attention on the CPU: one task for each sequence and key head, a tile of queries at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "train/backend.h"
#include "train/cpu/pool.h"

namespace train::cpu {

class Attention {
 public:
  explicit Attention(Pool& pool) : pool_(pool) {}

  // See train::Backend.
  void forward(float* out, float* lse, const float* qkv, const uint32_t* document_start,
               const AttentionShape& shape);
  void backward(float* d_qkv, const float* d_out, const float* out, const float* lse,
                const float* qkv, const uint32_t* document_start, const AttentionShape& shape);

 private:
  float* scratch(int worker);

  Pool& pool_;
  size_t scratch_size_ = 0;     // Of one worker:
  std::vector<float> scratch_;  //   scores of a tile, and their gradients.
};

}  // namespace train::cpu
