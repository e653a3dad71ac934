#include "compress/layout.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/check.h"

namespace compress {
namespace {

uint64_t ceil_divide(uint64_t value, uint64_t by) { return (value + by - 1) / by; }

// The whole number whose square is `square`.  CHECK that there is one.
uint32_t side_of(uint32_t square) {
  uint32_t side = 1;
  while (side * side < square) ++side;
  CHECK_MSG(side * side == square, "a tile is a square");
  return side;
}

uint64_t tiles_of(const Tensor& tensor, uint32_t tile, uint32_t side) {
  if (tensor.is_vector()) return ceil_divide(tensor.cols, tile);
  return ceil_divide(tensor.rows, side) * ceil_divide(tensor.cols, side);
}

}  // namespace

Layout::Layout(std::vector<Tensor> tensors, uint32_t tile, uint32_t keep)
    : tensors_(std::move(tensors)), tile_(tile), side_(1), keep_(keep) {
  CHECK(tile > 0 && tile <= kTileMax && keep > 0 && keep <= tile);
  side_ = side_of(tile);
  first_tile_.reserve(tensors_.size() + 1);
  first_tile_.push_back(0);
  for (Tensor& tensor : tensors_) {
    CHECK_MSG(tensor.rows > 0 && tensor.cols > 0, tensor.name);
    CHECK_MSG(tensor.size() <= std::numeric_limits<uint32_t>::max(), tensor.name);
    tensor.offset = parameter_count_;
    parameter_count_ += tensor.size();
    first_tile_.push_back(first_tile_.back() + tiles_of(tensor, tile_, side_));
  }
  for (size_t t = 0; t < tensors_.size(); ++t) {
    const uint64_t count = first_tile_[t + 1] - first_tile_[t];
    for (uint64_t i = 0; i < count; ++i) kept_count_ += this->tile(t, i).keep;
  }
}

uint32_t Layout::tiles_per_band(size_t tensor) const {
  const Tensor& of = tensors_[tensor];
  return of.is_vector() ? 1 : static_cast<uint32_t>(ceil_divide(of.cols, side_));
}

Tile Layout::tile(size_t tensor, uint64_t index_in_tensor) const {
  CHECK(tensor < tensors_.size() &&
        index_in_tensor < first_tile_[tensor + 1] - first_tile_[tensor]);
  const Tensor& of = tensors_[tensor];
  Tile tile;
  if (of.is_vector()) {
    tile.col = static_cast<uint32_t>(index_in_tensor * tile_);
    tile.rows = 1;
    tile.cols = std::min(tile_, of.cols - tile.col);
  } else {
    const uint64_t across = tiles_per_band(tensor);
    tile.row = static_cast<uint32_t>(index_in_tensor / across * side_);
    tile.col = static_cast<uint32_t>(index_in_tensor % across * side_);
    tile.rows = std::min(side_, of.rows - tile.row);
    tile.cols = std::min(side_, of.cols - tile.col);
  }
  tile.keep = static_cast<uint32_t>(ceil_divide(uint64_t{tile.size()} * keep_, tile_));
  return tile;
}

}  // namespace compress
