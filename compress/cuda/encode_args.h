// What the kernels of the encoder hand each other: of each tile its head and its bits, in a slot.
#pragma once

#include <cstdint>

#include "compress/cuda/plan.h"

namespace compress::cuda {

// 16 bytes a tile.
struct CodedHead {
  uint16_t count = 0;  // 0: the tile is not sent, and nothing else is told.
  uint16_t high_code = 0;
  uint16_t ratio = 0;
  uint16_t level_bits = 0;
  uint32_t value_bits = 0;
  // From the tile before that is sent, in zigzag; of the first of a piece: anything.
  uint16_t high_step = 0;
  uint16_t ratio_step = 0;
};

// A tile's bits: those of its values, then those of its levels, each from a word on.
struct Slots {
  uint32_t* words = nullptr;
  uint32_t value_words = 0;  // Of a slot.
  uint32_t level_words = 0;

  MUSTER_BOTH uint32_t* values(uint32_t tile) const {
    return words + size_t{tile} * (value_words + level_words);
  }
  MUSTER_BOTH uint32_t* levels(uint32_t tile) const { return values(tile) + value_words; }
};

}  // namespace compress::cuda
