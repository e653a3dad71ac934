// Chunked top-k selection: the sparsifier of SparseLoCo and of DeMo.
//
// Source: SparseLoCo, arXiv:2508.15706.
#pragma once

#include <cstdint>
#include <span>

namespace compress {

// Finds the largest magnitudes of one tile.
//
//   values   (tile)  fp32   1 to 4,096 (kTileMax)
//   offsets  (keep)  out    where they stand, ascending; 1 <= keep <= tile
//
// Equal magnitudes: the lower offset wins, so that every node keeps the same set. NaN and infinity
// are a bug of the caller (CHECK). Time is linear in `values`; no memory is allocated.
void top_k(std::span<const float> values, std::span<uint16_t> offsets);

}  // namespace compress
