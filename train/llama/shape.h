// A model's widths, as the backend counts them.
#pragma once

#include "common/check.h"
#include "common/hparams.h"
#include "train/backend.h"

namespace train::llama {

struct Shape {
  int C;  // dim
  int F;  // hidden
  int V;  // vocabulary
  int H;  // heads
  int K;  // heads of keys and values
  int D;  // C / H
  int layers;
  bool tied;
  float epsilon;

  explicit Shape(const common::ModelParams& params)
      : C(static_cast<int>(params.dim)),
        F(static_cast<int>(params.hidden)),
        V(static_cast<int>(params.vocabulary)),
        H(static_cast<int>(params.heads)),
        K(static_cast<int>(params.kv_heads)),
        D(H > 0 ? C / H : 0),
        layers(static_cast<int>(params.layers)),
        tied(params.tied_embeddings),
        epsilon(static_cast<float>(params.norm_epsilon)) {
    CHECK(D > 0 && D * H == C && D % 2 == 0 && K > 0 && H % K == 0 && layers > 0);
  }

  AttentionShape attention(int B, int T) const { return {B, T, H, K, D}; }
  int row() const { return attention(0, 0).row(); }  // Of queries, keys and values.
};

}  // namespace train::llama
