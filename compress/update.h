// A contribution decoded: what it says about each tensor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/layout.h"

namespace compress {

// Values of one tensor, by ascending flat index within the tensor; all finite, all sent.
struct SparseTensor {
  std::vector<uint32_t> index;
  std::vector<float> value;
  // Euclidean, of `value`: from sums in a fixed order, so the same on every machine. In sparseloco
  // each tile's sum of squares is exact in fp64; they are added tile by tile, group by group.
  double norm = 0;
};

struct Update {
  std::vector<SparseTensor> tensors;  // One for each tensor of the layout.

  uint64_t value_count() const;
  bool is_zero() const;  // Every value of every tensor.
};

// dense[offset + index] += factor[t] * value, for each tensor t in order; fp32, multiply and add
// rounded each on its own.  dense (N)   factors (tensors)
void add_to(std::span<float> dense, const Update& update, const Layout& layout,
            std::span<const float> factors);

}  // namespace compress
