// Where the parameters of a model lie: a flat array of fp32, tensor after tensor, and each tensor
// in tiles.
//
// A tile is 64 x 64 of a matrix, or 4,096 in a row of a vector (hparams.codec.tile values; its
// square root is the side). At the right and lower edge tiles are smaller. Tiles are numbered row
// by row, tensor by tensor. The layout follows from the hparams alone, so that it never travels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace compress {

struct Tensor {
  std::string name;   // "layers.0.attention.wq"
  uint32_t rows = 0;  // 1 for a vector
  uint32_t cols = 0;
  uint64_t offset = 0;  // Of its first value in the flat array; filled in by Layout.

  uint64_t size() const { return uint64_t{rows} * cols; }
  bool is_vector() const { return rows == 1; }
};

// No tile is larger, so that an offset in a tile is 12 bits.
inline constexpr uint32_t kTileMax = 4096;

// A rectangle of one tensor; a vector's tile has one row.
struct Tile {
  uint32_t row = 0;  // First row and column in the tensor.
  uint32_t col = 0;
  uint32_t rows = 0;
  uint32_t cols = 0;
  uint32_t keep = 0;  // How many values of it are sent: ceil(size * keep / tile), at least 1.

  uint32_t size() const { return rows * cols; }
};

class Layout {
 public:
  // `tile` is a square, at most kTileMax; 0 < keep <= tile; no tensor is empty or of 2^32 values or
  // more (CHECK: the hparams were parsed).
  Layout(std::vector<Tensor> tensors, uint32_t tile, uint32_t keep);

  std::span<const Tensor> tensors() const { return tensors_; }
  uint64_t parameter_count() const { return parameter_count_; }
  uint64_t tile_count() const { return first_tile_.back(); }
  // Values sent in all, by a codec that keeps `keep` of each tile.
  uint64_t kept_count() const { return kept_count_; }

  // The tiles of tensor t are numbers first_tile(t) up to, not including, first_tile(t + 1).
  uint64_t first_tile(size_t tensor) const { return first_tile_[tensor]; }
  Tile tile(size_t tensor, uint64_t index_in_tensor) const;
  // A band is the tiles side by side that cover the same rows; in a vector each tile is a band.
  // Bands follow each other in the flat array, tiles of one band interleave in it.
  uint32_t tiles_per_band(size_t tensor) const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<uint64_t> first_tile_;  // One more than tensors: the last is the count.
  uint32_t tile_;
  uint32_t side_;
  uint32_t keep_;
  uint64_t parameter_count_ = 0;
  uint64_t kept_count_ = 0;
};

}  // namespace compress
