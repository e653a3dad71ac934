// The values of a tile between the tensor, where its rows lie apart, and a core's own memory.
#pragma once

#include <cstdint>
#include <span>

#include "compress/layout.h"
#include "compress/simd/select.h"

namespace compress::simd {

// Where tiles side by side lie in an array: `rows` runs of values, `stride` apart.
struct StripShape {
  uint32_t rows = 0;
  uint64_t stride = 0;
  std::span<const uint32_t> cols;  // Of each tile.
};

// Tiles side by side from where they lie, `first` being the first value of the first.
//   out  one for each tile
void load_strip(const float* first, const StripShape& shape, TileValues* out);

// e = decay * e + delta, each operation rounded on its own; `out` gets e too.
void load_feedback(float* e, const float* delta, float decay, const StripShape& shape,
                   TileValues* out);

// Of a selection: which values are negative, and which are at least `least_high`.
//   negative, high   bit i of word i / 64: value i; nothing behind the last
//   offset           without signs
void flags_of(const Selection& selection, float least_high, int32_t* offset, uint64_t* negative,
              uint64_t* high);

}  // namespace compress::simd
