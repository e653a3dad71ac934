// One layer, forward and backward: the sequence of operations, and nothing else.
#pragma once

#include "train/backend.h"
#include "train/llama/shape.h"
#include "train/llama/weights.h"
#include "train/llama/workspace.h"

namespace train::llama {

// Positions that are worked through together, and what a layer must know about them.
struct LayerPass {
  Backend& backend;
  const Shape& shape;
  AttentionShape attention;
  const float* cosine;  // (T, D/2)
  const float* sine;
  const uint32_t* document_start;  // (B, T)

  // From at.attention_in, everything else in `at`. Done again it gives the same bits.
  void forward(const LayerWeights& weights, const LayerActivations& at) const;
  // out (N, C) = the layer's output, once `forward` is done. May be at.attention_in.
  void output(const LayerWeights& weights, const LayerActivations& at, Activation* out) const;
  // scratch.stream: from the gradient by the layer's output to that by its input.
  void backward(const LayerWeights& weights, const LayerGradient& gradient,
                const LayerActivations& at, const BackwardScratch& scratch) const;

 private:
  void backward_mlp(const LayerWeights& weights, const LayerGradient& gradient,
                    const LayerActivations& at, const BackwardScratch& scratch) const;
  void backward_attention(const LayerWeights& weights, const LayerGradient& gradient,
                          const LayerActivations& at, const BackwardScratch& scratch) const;
};

}  // namespace train::llama
