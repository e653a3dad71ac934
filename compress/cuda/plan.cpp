#include "compress/cuda/plan.h"

#include <algorithm>

#include "common/check.h"
#include "compress/level_code.h"

namespace compress::cuda {
namespace {

TileShape shape_of(const Tile& tile) {
  return {.rows = tile.rows,
          .cols = tile.cols,
          .keep = tile.keep,
          .col_inverse = (uint64_t{1} << 32) / tile.cols + 1,
          .gaps = GapCode::of(tile.size(), tile.keep)};
}

TensorPlan plan_of(const Layout& layout, size_t t) {
  const Tensor& tensor = layout.tensors()[t];
  const uint64_t count = layout.first_tile(t + 1) - layout.first_tile(t);
  const Tile first = layout.tile(t, 0);
  TensorPlan plan;
  plan.first_value = tensor.offset;
  plan.first_tile = layout.first_tile(t);
  // A vector's tiles are bands of one tile, a row each.
  plan.stride = tensor.is_vector() ? first.cols : tensor.cols;
  plan.across = layout.tiles_per_band(t);
  plan.bands = static_cast<uint32_t>(count / plan.across);
  plan.band_rows = first.rows;
  plan.tile_cols = first.cols;
  const uint64_t last_band = count - plan.across;
  plan.shape[0] = shape_of(first);
  plan.shape[1] = shape_of(layout.tile(t, plan.across - 1));
  plan.shape[2] = shape_of(layout.tile(t, last_band));
  plan.shape[3] = shape_of(layout.tile(t, count - 1));
  return plan;
}

void note_sizes(const TensorPlan& tensor, PlanTables& made) {
  for (const TileShape& shape : tensor.shape) {
    made.keep_max = std::max(made.keep_max, shape.keep);
    made.value_words_max =
        std::max(made.value_words_max, words_of(shape.value_bits_max(shape.keep)));
    made.level_words_max = std::max(made.level_words_max, words_of(level_bits_max(shape.keep)));
  }
}

}  // namespace

common::Result<PlanTables> make_plan(const Layout& layout, PieceRange range) {
  const std::vector<TileGroup> groups = tile_groups(layout);
  CHECK(range.first < range.end && range.end <= groups.size());
  const TileRun& begin = groups[range.first].runs.front();
  PlanTables made;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    made.tensors.push_back(plan_of(layout, t));
    note_sizes(made.tensors.back(), made);
  }
  const uint64_t tile_bits = 32 * (uint64_t{made.value_words_max} + made.level_words_max + 2);
  bool fits = true;
  made.plan.first_tile = layout.first_tile(begin.tensor) + begin.first;
  made.plan.first_value = first_value(groups[range.first], layout);
  uint64_t tiles = 0;
  for (size_t g = range.first; g < range.end; ++g) {
    made.pieces.push_back({.first_tile = static_cast<uint32_t>(tiles),
                           .tile_count = static_cast<uint32_t>(groups[g].count),
                           .first_run = made.run_count});
    tiles += groups[g].count;
    // Bits of a piece are counted in 32 bits.
    fits = fits && groups[g].count * tile_bits < uint64_t{1} << 32;
    made.run_count += static_cast<uint32_t>(groups[g].runs.size());
    made.value_count += value_count(groups[g], layout);
  }
  if (!fits || tiles >= uint64_t{1} << 31) {
    return common::Error{common::Code::kUnavailable,
                         "a card takes fewer than 2^31 tiles, and pieces below 512 MiB"};
  }
  made.plan.tile_count = static_cast<uint32_t>(tiles);
  made.plan.piece_count = static_cast<uint32_t>(range.count());
  made.tensors.emplace_back().first_tile = layout.tile_count();
  uint32_t t = 0;
  for (uint64_t tile = 0; tile < tiles; tile += Plan::kHintTiles) {
    while (made.plan.first_tile + tile >= made.tensors[t + 1].first_tile) ++t;
    made.tensor_at.push_back(t);
  }
  return made;
}

std::vector<uint64_t> firsts_of(std::span<const uint32_t> sizes) {
  std::vector<uint64_t> firsts{0};
  for (const uint32_t size : sizes) firsts.push_back(firsts.back() + size);
  return firsts;
}

}  // namespace compress::cuda
