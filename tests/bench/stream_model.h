// A model of any size that is nowhere: its layout, and numbers for it drawn range by range.
#pragma once

#include <cstdint>
#include <span>

#include "compress/layout.h"

namespace bench {

// LLaMA's tensors, with the width that such models have and as many layers as come nearest to
// `parameters`. Tiles of 4,096, `keep` of each.
compress::Layout llama_like(uint64_t parameters, uint32_t keep);

// values[i] = number first + i of stream `seed`: nearly normal (the sum of four uniforms), of a
// deviation that changes every 512 numbers, as tiles of a trained network differ. A function of
// seed and number alone.
void draw(uint64_t seed, uint64_t first, float deviation, std::span<float> values);

// Sum over i of (bits of value i) * (2 (first + i) + 1) modulo 2^64: of a whole array the sum of
// those of its ranges.
uint64_t checksum(uint64_t first, std::span<const float> values);

}  // namespace bench
