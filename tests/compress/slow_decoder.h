// The format of sparseloco read the slow and obvious way: the oracle of its decoder.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "common/bytes.h"
#include "compress/layout.h"
#include "compress/tile_groups.h"

namespace compress::testing {

// Reads bits one by one; knows nothing of what is allowed.
class SlowDecoder {
 public:
  explicit SlowDecoder(common::ByteView bytes) : bytes_(bytes) {}

  // The dense values of a body that is well formed.
  std::vector<double> decode(const Layout& layout) {
    const std::vector<TileGroup> groups = tile_groups(layout);
    std::vector<double> values(layout.parameter_count());
    at_ = 0;  // The table comes last.
    for (const TileGroup& group : groups) {
      std::vector<SlowTile> tiles;
      for (const TileRun& run : group.runs) {
        for (uint64_t i = 0; i < run.count; ++i) {
          tiles.push_back({layout.tensors()[run.tensor], layout.tile(run.tensor, run.first + i)});
        }
      }
      read_group(tiles);
      for (const SlowTile& tile : tiles) place(tile, values);
    }
    return values;
  }

 private:
  unsigned bit() {
    const unsigned value = (bytes_[at_ / 8] >> (at_ % 8)) & 1u;
    ++at_;
    return value;
  }
  unsigned number(unsigned bits) {
    unsigned value = 0;
    for (unsigned i = 0; i < bits; ++i) value += bit() << i;
    return value;
  }

  struct SlowTile {
    Tensor tensor;
    Tile tile;
    unsigned parameter = 0;
    double high = 0;
    unsigned ratio = 0;
    // One for each value that is sent.
    std::vector<bool> is_high, is_negative;
    std::vector<unsigned> remainder, quotient;
  };

  void read_head(SlowTile& tile) {
    unsigned count = tile.tile.keep;
    tile.parameter = number(4);
    if (tile.parameter == 15) return;
    if (tile.parameter == 14) {
      count = number(12);
      tile.parameter = number(4);
    }
    const unsigned mantissa = number(9);
    const unsigned exponent = number(7);
    tile.high = (512 + mantissa) * std::pow(2.0, static_cast<double>(exponent) - 105);
    tile.ratio = number(8);
    tile.is_high.resize(count, true);
    tile.is_negative.resize(count);
    tile.remainder.resize(count);
    tile.quotient.resize(count);
  }

  void read_group(std::vector<SlowTile>& tiles) {
    const auto pad = [&] {
      while (at_ % 8 != 0) ++at_;
    };
    for (SlowTile& tile : tiles) read_head(tile);
    pad();
    for (SlowTile& tile : tiles) {
      if (tile.ratio == 0) continue;
      for (auto flag : tile.is_high) flag = bit() == 1;
    }
    pad();
    for (SlowTile& tile : tiles) {
      for (auto flag : tile.is_negative) flag = bit() == 1;
    }
    pad();
    for (SlowTile& tile : tiles) {
      for (unsigned& remainder : tile.remainder) remainder = number(tile.parameter);
    }
    pad();
    for (SlowTile& tile : tiles) {
      for (unsigned& quotient : tile.quotient) {
        while (bit() == 0) ++quotient;
      }
    }
    pad();
  }

  static void place(const SlowTile& from, std::vector<double>& values) {
    unsigned next = 0;
    for (size_t i = 0; i < from.quotient.size(); ++i) {
      next += from.quotient[i] * (1u << from.parameter) + from.remainder[i];
      const unsigned row = from.tile.row + next / from.tile.cols;
      const unsigned col = from.tile.col + next % from.tile.cols;
      double value = from.is_high[i] ? from.high : from.high * from.ratio / 256.0;
      if (from.is_negative[i]) value = -value;
      values[from.tensor.offset + size_t{row} * from.tensor.cols + col] = value;
      ++next;
    }
  }

  common::ByteView bytes_;
  size_t at_ = 0;
};

}  // namespace compress::testing
