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
    at_ = groups.size() * 32;
    for (const TileGroup& group : groups) {
      for (const TileRun& run : group.runs) {
        for (uint64_t i = 0; i < run.count; ++i) {
          read_tile(layout.tensors()[run.tensor], layout.tile(run.tensor, run.first + i), values);
        }
      }
      while (at_ % 8 != 0) ++at_;
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

  void read_tile(const Tensor& tensor, const Tile& tile, std::vector<double>& values) {
    unsigned count = tile.keep;
    unsigned parameter = number(4);
    if (parameter == 15) return;
    if (parameter == 14) {
      count = number(12);
      parameter = number(4);
    }
    const unsigned mantissa = number(9);
    const unsigned exponent = number(7);
    const double high = (512 + mantissa) * std::pow(2.0, static_cast<double>(exponent) - 105);
    const unsigned ratio = number(8);
    std::vector<size_t> places;
    unsigned next = 0;
    for (unsigned i = 0; i < count; ++i) {
      unsigned quotient = 0;
      while (bit() == 0) ++quotient;
      next += quotient * (1u << parameter) + number(parameter);
      const unsigned row = tile.row + next / tile.cols;
      const unsigned col = tile.col + next % tile.cols;
      places.push_back(tensor.offset + size_t{row} * tensor.cols + col);
      ++next;
    }
    for (const size_t place : places) values[place] = bit() == 1 ? -high : high;
    if (ratio == 0) return;
    for (const size_t place : places) {
      if (bit() == 0) values[place] *= ratio / 256.0;
    }
  }

  common::ByteView bytes_;
  size_t at_ = 0;
};

}  // namespace compress::testing
