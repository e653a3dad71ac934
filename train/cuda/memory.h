// How much of its memory a card works in, and what its arithmetic keeps besides what it was handed:
// said in one place for the card itself and for whoever plans ahead (train/memory_plan.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend.h"

namespace train::cuda {

// cuBLASLt's: what Hopper's widest kernels ask for, twice over.
inline constexpr size_t kProductWorkspaceBytes = 64 << 20;

// Positions in a micro-batch, of a card with so much memory: of a large model's activations at 8
// MiB a position.
int positions_at_once(size_t memory_bytes);
// Values of fp32: 512 MiB of logits, less on a small card.
int64_t logits_at_once(size_t memory_bytes);
// Positions whose logits are made together where so many values of fp32 may be kept at once.
int loss_positions(int64_t logits_at_once, int V);

// What a weight (O, C) becomes to be multiplied by. Rounded up, so that what is packed behind it
// begins where products like it; nothing in fp32.
size_t packed_bytes(Precision precision, int O, int C);

// A pass over N positions of a model C wide with H heads, whose optimiser looks at
// `parameters` values at a time.
struct RoomSizes {
  int N;
  int C;
  int H;
  uint64_t parameters;
  uint64_t factor_values;  // Of both factors of the largest Backend::product; 0: none is asked for.
};
// Everything in the rooms (train/cuda/room.h) but the logits: sums of gradients over rows, tokens
// as they are sorted, attention's sums, sums of squares, rounded factors.
uint64_t room_bytes(const RoomSizes& sizes, Precision precision);
// Logits and their gradients.
uint64_t logit_bytes(int N, int V, int64_t logits_at_once, Precision precision);

}  // namespace train::cuda
