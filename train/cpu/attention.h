// Attention on the CPU: tiles of 64 queries by 128 keys, with a running softmax, so that scores
// never leave the cache. Tiles that no query sees (later keys, other documents) are left out.
//
// Work is cut by the shape alone, and so are the sums: bits do not depend on the number of threads.
// A unit is a sequence and one of its key heads, or, where those are few, a part of its queries;
// the backward pass then works in rounds, in which no two units add to the same gradient.
//
// Source: Dao 2023, arXiv:2307.08691; the running softmax: Milakov & Gimelshein 2018,
// arXiv:1805.02867.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/backend.h"
#include "train/bf16.h"
#include "train/cpu/pool.h"
#include "train/cpu/tiles.h"

namespace train::cpu {

class Attention {
 public:
  // For arrays of float.
  explicit Attention(Pool& pool) : pool_(pool) {}
  // For arrays of Bf16: scores, softmax and sums in fp32; softmax's weights and the gradients of
  // scores are rounded to bf16 to be multiplied. `kernel` must run here; outlives this.
  Attention(Pool& pool, const TileKernel& kernel) : pool_(pool), kernel_(&kernel) {}

  // See train::Backend. A position whose seen scores hold NaN or infinity gives NaN. NaN or
  // infinity in the values of a key that a query does not see may make it NaN too; numbers never do
  // anything.
  //
  // Keeps 2 * T * D values a thread, and, where the backward pass works in rounds, an fp32 copy of
  // d_qkv. Asks for memory only at the first call of a shape, or of a larger one.
  void forward(float* out, float* lse, const float* qkv, const uint32_t* document_start,
               const AttentionShape& shape);
  void forward(Bf16* out, float* lse, const Bf16* qkv, const uint32_t* document_start,
               const AttentionShape& shape);
  void backward(float* d_qkv, const float* d_out, const float* out, const float* lse,
                const float* qkv, const uint32_t* document_start, const AttentionShape& shape);
  void backward(Bf16* d_qkv, const Bf16* d_out, const Bf16* out, const float* lse, const Bf16* qkv,
                const uint32_t* document_start, const AttentionShape& shape);

  // Of memory that is kept from call to call.
  size_t kept_bytes() const { return (rooms_.size() + sums_.size()) * sizeof(Line); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  const TileKernel& kernel() const;
  // At least `size_bytes` bytes.
  static std::byte* grow(std::vector<Line>& lines, size_t size_bytes);

  Pool& pool_;
  const TileKernel* kernel_ = nullptr;
  std::vector<Line> rooms_;  // Of every thread.
  std::vector<Line> sums_;   // Gradients, as long as not all was added.
};

}  // namespace train::cpu
