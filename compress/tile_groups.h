// Consecutive tiles whose bytes stand together: what a rank can read alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compress/layout.h"
#include "compress/piece.h"

namespace compress {

// At 64 of 4,096 kept, so many tiles are 80 KB: a group fits in a core's cache, and its entry of 4
// bytes in the table costs 0.005 % (17.7 million tiles of a 72B model: 17,000 groups).
inline constexpr uint32_t kGroupTiles = 1024;

// Consecutive tiles of one tensor, in whole bands (Layout::tiles_per_band).
struct TileRun {
  size_t tensor = 0;
  uint64_t first = 0;  // Tile, counted in the tensor.
  uint64_t count = 0;
};

struct TileGroup {
  std::vector<TileRun> runs;  // One for each tensor that the group touches.
  uint64_t count = 0;         // Tiles in all.
};

// Groups in the order of their tiles. A group is whole bands, as many as have kGroupTiles tiles at
// most, but one band at least, of one tensor or of several small ones. So the values of a group are
// one range of the flat array.
std::vector<TileGroup> tile_groups(const Layout& layout);

// The values of a group: its first in the flat array, and how many.
uint64_t first_value(const TileGroup& group, const Layout& layout);
uint64_t value_count(const TileGroup& group, const Layout& layout);

// The piece that a group is; its encoding takes from `size_min` to `size_max` bytes.
Piece piece_of(const TileGroup& group, const Layout& layout, uint64_t size_min, uint64_t size_max);

// The tiles of a run, one after the other, without the divisions that Layout::tile takes.
class TileWalk {
 public:
  TileWalk(const Layout& layout, const TileRun& run)
      : layout_(layout),
        tensor_(run.tensor),
        index_(run.first),
        band_(layout.tiles_per_band(run.tensor)) {}

  // Pre: one is left.
  const Tile& next() {
    // All tiles of a band but the last have the shape of the first.
    if (in_band_ == 0 || in_band_ + 1 == band_) {
      tile_ = layout_.tile(tensor_, index_);
    } else {
      tile_.col += tile_.cols;
    }
    ++index_;
    if (++in_band_ == band_) in_band_ = 0;
    return tile_;
  }

 private:
  const Layout& layout_;
  size_t tensor_;
  uint64_t index_;
  uint32_t band_;         // Tiles of one.
  uint32_t in_band_ = 0;  // A run begins with a band.
  Tile tile_;
};

}  // namespace compress
