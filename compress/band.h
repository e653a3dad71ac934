// The tiles of one band, and back: what stands side by side in the flat array, tile by tile.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/layout.h"

namespace compress {

// The values of `tile`, row by row, from those of its tensor.
//   tensor (rows * cols)   values (tile.size())  out
void gather_tile(std::span<const float> tensor, uint32_t tensor_cols, const Tile& tile,
                 std::vector<float>& values);
// The inverse.
void scatter_tile(std::span<const float> values, uint32_t tensor_cols, const Tile& tile,
                  std::span<float> tensor);

// Calls visit(i, index) for each offset i of a band, in ascending order of `index`, its place in
// the tensor. `offsets` are those of tile after tile, tile t's being counts[t] ascending ones.
template <typename Visit>
void in_flat_order(std::span<const Tile> tiles, std::span<const uint32_t> counts,
                   std::span<const uint16_t> offsets, uint32_t tensor_cols, Visit visit) {
  std::vector<size_t> next(tiles.size());  // Of each tile: what was not visited yet,
  std::vector<size_t> end(tiles.size());   //   up to here.
  size_t first = 0;
  for (size_t t = 0; t < tiles.size(); ++t) {
    next[t] = first;
    end[t] = first += counts[t];
  }
  const uint32_t rows = tiles.empty() ? 0 : tiles.front().rows;
  for (uint32_t row = 0; row < rows; ++row) {
    for (size_t t = 0; t < tiles.size(); ++t) {
      const Tile& tile = tiles[t];
      const uint32_t row_end = (row + 1) * tile.cols;
      const uint32_t to_index = (tile.row + row) * tensor_cols + tile.col - row * tile.cols;
      for (; next[t] < end[t] && offsets[next[t]] < row_end; ++next[t]) {
        visit(next[t], to_index + offsets[next[t]]);
      }
    }
  }
}

}  // namespace compress
