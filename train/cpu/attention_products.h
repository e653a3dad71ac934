// The products of an attention tile, in fp32 or in bf16, under the same names, so that the
// algorithm (train/cpu/attention.cpp) is written once.
//
// Operands are packed in panels of 16 rows (left) or columns (right). Sizes that are not multiples
// of 16 are padded with zeros when they are packed, and outputs have room for the padding.
#pragma once

#include <cstddef>

#include "train/cpu/attention_scores.h"
#include "train/cpu/tiles.h"

namespace train::cpu {

constexpr int round_up(int size, int to) { return (size + to - 1) / to * to; }

class FloatProducts {
 public:
  using Number = float;
  // Value (i, k) of a left operand: data[i / 16 * panel + i % 16 * inner + k * deep]; of a right
  // one, (k, i).
  struct Operand {
    const float* data;
    ptrdiff_t panel;
    ptrdiff_t deep;
    ptrdiff_t inner;
  };
  static constexpr int kDepth = 16;       // K is rounded up to it.
  static constexpr int kTileWeights = 0;  // Of a tile's scores, beside them.

  void begin_thread() const {}
  static size_t packed(int outer, int K) {
    return static_cast<size_t>(round_up(outer, kPanel)) * static_cast<size_t>(round_up(K, kDepth));
  }
  // Packs a matrix (M, K) or (K, N) into `room`; transposed: it lies as its transpose.
  Operand left(float* room, Source<float> from, int M, int K) const;
  Operand right(float* room, Source<float> from, int K, int N) const {
    return left(room, {from.data, from.stride, !from.transposed}, N, K);
  }
  // The part of an operand from row or column `outer` and depth `k` on, multiples of 16 and 32.
  static Operand part(Operand whole, int outer, int k) {
    whole.data += outer / kPanel * whole.panel + k * whole.deep;
    return whole;
  }
  // out (M, N), `stride` apart, = or += left right; padded up to multiples of 16.
  void multiply(float* out, ptrdiff_t stride, Operand left, Operand right, int M, int N, int K,
                bool adds) const;

  // See softmax_tile and softmax_gradient_tile; what they give, as operands (keys, queries).
  // `weights` has kTileWeights values.
  Operand softmax(const ScoreTile& tile, const RunningSoftmax& running, float* weights) const;
  struct Gradients {
    Operand p_left, ds_left, ds_right;
  };
  Gradients gradients(const ScoreTile& tile, float* d_scores, const float* lse, const float* dot,
                      float* weights) const;
};

// A call of the fp32 kernel.
struct FloatProduct {
  float* out;
  ptrdiff_t stride;
  FloatProducts::Operand left;
  FloatProducts::Operand right;
  int rows;
  int columns;
  int depth;
  bool adds;
};

class Bf16Products {
 public:
  using Number = Bf16;
  using Operand = Panels;
  static constexpr int kTileWeights = 3 * kKeys * kQueries;

  explicit Bf16Products(const TileKernel& kernel) : kernel_(kernel) {}
  void begin_thread() const { kernel_.begin_thread(); }
  static size_t packed(int outer, int K) { return packed_size(outer, K); }
  Operand left(Bf16* room, Source<Bf16> from, int M, int K) const {
    pack_left(room, from, M, K);
    return {room, packed_size(kPanel, K)};
  }
  Operand right(Bf16* room, Source<Bf16> from, int K, int N) const {
    pack_right(room, from, K, N);
    return {room, packed_size(kPanel, K)};
  }
  static Operand part(Operand whole, int outer, int k) {
    whole.data += static_cast<size_t>(outer / kPanel) * whole.panel_stride +
                  static_cast<size_t>(k / kTileDepth) * kTileSize;
    return whole;
  }
  void multiply(float* out, ptrdiff_t stride, Operand left, Operand right, int M, int N, int K,
                bool adds) const {
    kernel_.multiply({out, stride, left, right, panels(M), panels(N), tiles_deep(K), adds});
  }

  Operand softmax(const ScoreTile& tile, const RunningSoftmax& running, Bf16* weights) const;
  struct Gradients {
    Operand p_left, ds_left, ds_right;
  };
  Gradients gradients(const ScoreTile& tile, const float* d_scores, const float* lse,
                      const float* dot, Bf16* weights) const;

 private:
  TileKernel kernel_;
};

}  // namespace train::cpu
