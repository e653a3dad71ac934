#include "compress/band.h"

#include <algorithm>

namespace compress {

void gather_tile(std::span<const float> tensor, uint32_t tensor_cols, const Tile& tile,
                 std::vector<float>& values) {
  values.clear();
  for (uint32_t r = 0; r < tile.rows; ++r) {
    const auto row = tensor.subspan(uint64_t{tile.row + r} * tensor_cols + tile.col, tile.cols);
    values.insert(values.end(), row.begin(), row.end());
  }
}

void scatter_tile(std::span<const float> values, uint32_t tensor_cols, const Tile& tile,
                  std::span<float> tensor) {
  for (uint32_t r = 0; r < tile.rows; ++r) {
    const auto row = values.subspan(uint64_t{r} * tile.cols, tile.cols);
    std::copy(
        row.begin(), row.end(),
        tensor.begin() + static_cast<ptrdiff_t>(uint64_t{tile.row + r} * tensor_cols + tile.col));
  }
}

}  // namespace compress
