// The format of sparseloco read the slow and obvious way: the oracle of its decoder.
#pragma once

#include <algorithm>
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
    double high = 0;
    unsigned ratio = 0;
    // One for each value that is sent.
    std::vector<bool> is_high, is_negative;
    std::vector<unsigned> remainder, quotient;

    unsigned modulus() const { return std::max(1u, tile.size() * 11 / (tile.keep * 16)); }
    // Bits of the shortest remainders: 2^width <= modulus.
    unsigned width() const {
      unsigned width = 0;
      while (2u << width <= modulus()) ++width;
      return width;
    }
    // So many remainders have no more bits than that.
    unsigned plain() const { return (2u << width()) - modulus(); }
  };

  unsigned zeros() {
    unsigned count = 0;
    while (bit() == 0) ++count;
    return count;
  }
  int step(unsigned parameter) {
    const unsigned quotient = zeros();
    const unsigned both = quotient << parameter | number(parameter);
    return both % 2 == 0 ? static_cast<int>(both / 2) : -static_cast<int>(both / 2) - 1;
  }

  // Heads, then what they say of the levels, which stand before.
  void read_heads_and_levels(std::vector<SlowTile>& tiles) {
    const size_t level_bytes = number(32);
    const size_t levels = at_;
    at_ += 8 * level_bytes;
    read_heads(tiles);
    const size_t values = at_;
    at_ = levels;
    for (SlowTile& tile : tiles) {
      if (tile.ratio == 0) continue;
      each_64(tile, [&](size_t first, size_t count) { read_levels(tile, first, count); });
    }
    at_ = values;
  }

  void read_heads(std::vector<SlowTile>& tiles) {
    const bool all_whole = bit() == 1;
    const unsigned high_parameter = number(4);
    const unsigned ratio_parameter = number(3);
    int high = -1;
    int ratio = 0;
    for (SlowTile& tile : tiles) {
      unsigned count = tile.tile.keep;
      if (!all_whole && bit() == 0) count = bit() == 0 ? 0 : number(12);
      if (count == 0) continue;
      if (high < 0) {
        high = static_cast<int>(number(14));
        ratio = static_cast<int>(number(6));
      } else {
        high += step(high_parameter);
        ratio += step(ratio_parameter);
      }
      tile.high = (128 + high % 128) * std::pow(2.0, high / 128 - 103);
      tile.ratio = static_cast<unsigned>(ratio);
      tile.is_high.resize(count, true);
      tile.is_negative.resize(count);
      tile.remainder.resize(count);
      tile.quotient.resize(count);
    }
  }

  // Of values first, first + 1, ... `count` of them.
  void read_levels(SlowTile& tile, size_t first, size_t count) {
    const size_t pairs = (count + 1) / 2;
    std::vector<bool> any(pairs), one(pairs);
    for (size_t i = 0; i < pairs; ++i) any[i] = bit() == 1;
    for (size_t i = 0; i < pairs; ++i) one[i] = any[i] && bit() == 1;
    for (size_t i = 0; i < pairs; ++i) {
      tile.is_high[first + i] = one[i];
      const bool other = one[i] ? bit() == 1 : any[i];
      if (pairs + i < count) tile.is_high[first + pairs + i] = other;
    }
  }

  void read_values(SlowTile& tile, size_t first, size_t count) {
    const size_t end = first + count;
    for (size_t i = first; i < end; ++i) tile.remainder[i] = number(tile.width());
    for (size_t i = first; i < end; ++i) tile.is_negative[i] = bit() == 1;
    for (size_t i = first; i < end; ++i) {
      unsigned& remainder = tile.remainder[i];
      if (remainder >= tile.plain()) remainder = 2 * remainder + bit() - tile.plain();
    }
    for (size_t i = first; i < end; ++i) tile.quotient[i] = zeros();
  }

  template <typename Read>
  static void each_64(const SlowTile& tile, const Read& read) {
    const size_t all = tile.is_high.size();
    for (size_t i = 0; i < all; i += 64) read(i, std::min<size_t>(64, all - i));
  }

  void pad() {
    while (at_ % 8 != 0) ++at_;
  }

  void read_group(std::vector<SlowTile>& tiles) {
    read_heads_and_levels(tiles);
    pad();
    for (SlowTile& tile : tiles) {
      each_64(tile, [&](size_t first, size_t count) { read_values(tile, first, count); });
    }
    pad();
  }

  static void place(const SlowTile& from, std::vector<double>& values) {
    unsigned next = 0;
    for (size_t i = 0; i < from.quotient.size(); ++i) {
      next += from.quotient[i] * from.modulus() + from.remainder[i];
      const unsigned row = from.tile.row + next / from.tile.cols;
      const unsigned col = from.tile.col + next % from.tile.cols;
      double value = from.is_high[i] ? from.high : from.high * from.ratio / 64.0;
      if (from.is_negative[i]) value = -value;
      values[from.tensor.offset + size_t{row} * from.tensor.cols + col] = value;
      ++next;
    }
  }

  common::ByteView bytes_;
  size_t at_ = 0;
};

}  // namespace compress::testing
