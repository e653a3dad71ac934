// A layout as the card reads it: where each tile lies and what shape it has.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/result.h"
#include "compress/body_format.h"
#include "compress/cuda/both.h"
#include "compress/golomb.h"
#include "compress/tile_groups.h"

namespace compress::cuda {

struct TileShape {
  uint32_t rows = 0;
  uint32_t cols = 0;
  uint32_t keep = 0;
  uint64_t col_inverse = 0;  // Of `cols`, for row().
  GapCode gaps;

  MUSTER_BOTH uint32_t size() const { return rows * cols; }
  // Of an offset in the tile; exact below 2^16.
  MUSTER_BOTH uint32_t row(uint32_t offset) const {
    return static_cast<uint32_t>(offset * col_inverse >> 32);
  }
  // Bits of `count` values: fields, signs, last bits and quotients.
  MUSTER_BOTH uint32_t value_bits_max(uint32_t count) const {
    return gaps.bits_max(count, size()) + count;
  }
};

struct TensorPlan {
  uint64_t first_value = 0;  // In the flat array.
  uint64_t first_tile = 0;   // Of the layout.
  uint32_t stride = 0;       // Of a tile's rows in memory; of a vector's tiles.
  uint32_t across = 0;       // Tiles of a band.
  uint32_t bands = 0;
  uint32_t band_rows = 0;  // Of all bands but the last,
  uint32_t tile_cols = 0;  //   and columns of all tiles but the last.
  TileShape shape[4];      // 1: of the last column; 2: of the last band.
};

struct PiecePlan {
  uint32_t first_tile = 0;  // Of the range.
  uint32_t tile_count = 0;
  uint32_t first_run = 0;  // Of the range; one for each tensor that it touches.
};

// A tile, and where it is: its first value counted from the range's.
struct PlacedTile {
  const TileShape* shape = nullptr;
  uint64_t first = 0;
  uint32_t stride = 0;
  uint32_t tensor = 0;
};

// What kernels are given. The tables are written once, before any kernel reads them.
struct Plan {
  static constexpr uint32_t kHintTiles = 64;

  const TensorPlan* tensors = nullptr;  // And one behind the last, where its tiles would begin.
  const uint32_t* tensor_at = nullptr;  // Of tile 0, 64, 128, ... of the range.
  const PiecePlan* pieces = nullptr;
  uint64_t first_tile = 0;  // Of the range,
  uint64_t first_value = 0;
  uint32_t tile_count = 0;
  uint32_t piece_count = 0;

  // Where a tile of the range is.
  MUSTER_BOTH PlacedTile place(uint32_t tile) const {
    const uint64_t number = first_tile + tile;
    uint32_t t = tensor_at[tile / kHintTiles];
    while (number >= tensors[t + 1].first_tile) ++t;
    const TensorPlan& tensor = tensors[t];
    const auto index = static_cast<uint32_t>(number - tensor.first_tile);
    const uint32_t band = index / tensor.across;
    const uint32_t column = index - band * tensor.across;
    PlacedTile placed;
    placed.shape =
        &tensor.shape[(column + 1 == tensor.across ? 1 : 0) + (band + 1 == tensor.bands ? 2 : 0)];
    placed.stride = tensor.stride;
    placed.tensor = t;
    placed.first = tensor.first_value - first_value +
                   uint64_t{band} * tensor.band_rows * tensor.stride +
                   uint64_t{column} * tensor.tile_cols;
    return placed;
  }
};

// The tables, in host memory.
struct PlanTables {
  std::vector<TensorPlan> tensors;
  std::vector<uint32_t> tensor_at;
  std::vector<PiecePlan> pieces;
  Plan plan;  // Its pointers are null.
  uint32_t run_count = 0;
  uint64_t value_count = 0;
  uint32_t keep_max = 0;         // Of any tile,
  uint32_t value_words_max = 0;  //   and the words that its values
  uint32_t level_words_max = 0;  //   and levels take.
};

// Of the pieces of `range`, sparseloco's format of `layout`. kUnavailable: 2^31 tiles or more, or
// pieces of 512 MiB.
common::Result<PlanTables> make_plan(const Layout& layout, PieceRange range);

// Where pieces of these sizes begin, one behind the other, and where the last ends.
std::vector<uint64_t> firsts_of(std::span<const uint32_t> sizes);

}  // namespace compress::cuda
