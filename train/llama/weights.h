// Where a layer's weights lie in its piece, and their packed forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/backend.h"
#include "train/buffer.h"
#include "train/llama/shape.h"
#include "train/pieces.h"

namespace train::llama {

// In the order of `parameter_layout`. Queries, keys and values stand one after the other and are
// one matrix; so are gate and up.
struct LayerOffsets {
  uint64_t qkv, output, gate_up, down, attention_norm, mlp_norm;
  uint64_t size;  // Of the piece.
};
LayerOffsets layer_offsets(const Shape& shape);

struct LayerWeights {
  const float* attention_norm;  // (C)
  Weight qkv;                   // (row, C)
  Weight output;                // (C, C)
  const float* mlp_norm;        // (C)
  Weight gate_up;               // (2F, C)
  Weight down;                  // (C, F)
};

// Where each of them adds its gradient.
struct LayerGradient {
  float *attention_norm, *qkv, *output, *mlp_norm, *gate_up, *down;
};
LayerGradient layer_gradient(const Shape& shape, float* piece);

// The packed forms of a source's pieces, a buffer for each of its places: a piece is packed when
// it is met for the first time since its place was filled.
class PackedWeights {
 public:
  // `backend` outlives it.
  PackedWeights(const Shape& shape, Backend& backend) : shape_(shape), backend_(backend) {}

  // Before another source, or one whose values have changed.
  void begin(const ParameterSource& source);
  LayerWeights layer(const ParameterSource::Piece& piece);
  // (V, C), which begins `offset` values into the piece.
  Weight vocabulary(const ParameterSource::Piece& piece, uint64_t offset);

 private:
  struct Place {
    Buffer<std::byte> packed;
    uint64_t fill = 0;  // What was packed last; 0: nothing yet.
  };
  // Packs `weights`, one after the other, unless that has been done.
  void pack(const ParameterSource::Piece& piece, std::initializer_list<Weight*> weights);

  Shape shape_;
  Backend& backend_;
  std::vector<Place> places_;
};

}  // namespace train::llama
