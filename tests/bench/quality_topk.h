// Sparse, but not quantised: what tells the loss of top-k from the loss of sparseloco's two
// magnitudes in the quality study.
#pragma once

#include <cstdint>
#include <span>

#include "compress/layout.h"
#include "compress/update.h"

namespace bench {

// The largest magnitudes of each tile, as many as `layout` says, as they are; zeros are left out.
//   values (N)
compress::Update largest_of(std::span<const float> values, const compress::Layout& layout);

// A window's share of each tile: `keep` places of a fixed random order of all 4,096, the next ones
// in the next window, the same for every miner; of each the sign and the tile's mean magnitude of
// the larger or the smaller ones. No index is sent.
compress::Update masked(std::span<const float> values, const compress::Layout& layout,
                        uint32_t keep, uint64_t window);
// What that takes: 2 bits a value, 32 a tile.
uint64_t masked_size_bytes(const compress::Update& update, const compress::Layout& layout);

// What largest_of would take to send it plainly: 12 bits an offset, 32 a value, 12 a tile.
uint64_t plain_size_bytes(const compress::Update& update, const compress::Layout& layout);

}  // namespace bench
