// The memory of a pass: one block of the machine's, cut into arrays.
//
// The same walk that cuts the block also measures it, so that what is announced
// (activation_bytes in train/model.h) is what is reserved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/backend.h"
#include "train/llama/shape.h"

namespace train::llama {

// What a pass leaves behind for the backward pass.
enum class Keep {
  kNothing,  // Forward only: all layers work in one layer's memory.
  kInputs,   // Each layer's input; the rest is computed again.
  kAll,
};

// One layer, N positions.
struct LayerActivations {
  Activation* attention_in;  // (N, C)  the residual stream,
  Activation* normed1;       // (N, C)  and normalised
  float* rstd1;              // (N)
  Activation* qkv;           // (N, row)  turned by RoPE
  float* lse;                // (N, H)
  Activation* heads;         // (N, C)  what the heads found
  Activation* mlp_in;        // (N, C)  the residual stream,
  Activation* normed2;       // (N, C)  and normalised
  float* rstd2;              // (N)
  Activation* gate_up;       // (N, 2F)
  Activation* hidden;        // (N, F)
};

// Gradients by activations, of the layer that is worked on.
struct BackwardScratch {
  Activation* stream;  // (N, C)  of the residual stream
  Activation* normed;  // (N, C)
  Activation* inner;   // (N, max(C, F))
  Activation* wide;    // (N, max(row, 2F))
};

struct Workspace {
  uint32_t *input, *target, *document_start;  // (N)
  std::vector<LayerActivations> layers;
  Activation* last;          // (N, C)  the stream after the last layer,
  Activation* last_normed;   // (N, C)  and normalised
  float* last_rstd;          // (N)
  float* losses;             // (N)
  BackwardScratch backward;  // Unless nothing is kept.
  size_t size_bytes;         // Of the block.
};

// Cuts `block`, of a machine that computes in `precision`; without a block (null) only
// `size_bytes` is of use.
Workspace cut(std::byte* block, const Shape& shape, int N, Precision precision, Keep keep);

}  // namespace train::llama
