#include "compress/tile_groups.h"

#include <limits>

#include "common/check.h"

namespace compress {
namespace {

void append(TileGroup& group, size_t tensor, uint64_t first, uint64_t count) {
  if (group.runs.empty() || group.runs.back().tensor != tensor) {
    group.runs.push_back({tensor, first, 0});
  }
  group.runs.back().count += count;
  group.count += count;
}

// Where a run's values begin and end in its tensor.
struct Extent {
  uint64_t first = 0;
  uint64_t end = 0;
};

Extent extent_of(const TileRun& run, const Layout& layout) {
  const Tensor& tensor = layout.tensors()[run.tensor];
  // Whole bands: from the first row of the first tile to the last row of the last.
  const Tile first = layout.tile(run.tensor, run.first);
  const Tile last = layout.tile(run.tensor, run.first + run.count - 1);
  return {uint64_t{first.row} * tensor.cols + first.col,
          uint64_t{last.row + last.rows - 1} * tensor.cols + last.col + last.cols};
}

}  // namespace

std::vector<TileGroup> tile_groups(const Layout& layout) {
  std::vector<TileGroup> groups;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const uint64_t tiles = layout.first_tile(t + 1) - layout.first_tile(t);
    const uint64_t band = layout.tiles_per_band(t);
    for (uint64_t first = 0; first < tiles; first += band) {
      if (groups.empty() || groups.back().count + band > kGroupTiles) groups.emplace_back();
      append(groups.back(), t, first, band);
    }
  }
  return groups;
}

uint64_t first_value(const TileGroup& group, const Layout& layout) {
  const TileRun& run = group.runs.front();
  return layout.tensors()[run.tensor].offset + extent_of(run, layout).first;
}

uint64_t value_count(const TileGroup& group, const Layout& layout) {
  uint64_t count = 0;
  for (const TileRun& run : group.runs) {
    const Extent extent = extent_of(run, layout);
    count += extent.end - extent.first;
  }
  return count;
}

Piece piece_of(const TileGroup& group, const Layout& layout, uint64_t size_min, uint64_t size_max) {
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  Piece piece;
  piece.first = first_value(group, layout);
  uint64_t count = 0;
  for (const TileRun& run : group.runs) {
    const Extent extent = extent_of(run, layout);
    const uint64_t of_run = extent.end - extent.first;
    piece.runs.push_back({run.tensor, static_cast<uint32_t>(count), static_cast<uint32_t>(of_run)});
    count += of_run;
  }
  CHECK(count <= kMost && size_max <= kMost);
  piece.count = static_cast<uint32_t>(count);
  piece.size_min = static_cast<uint32_t>(size_min);
  piece.size_max = static_cast<uint32_t>(size_max);
  return piece;
}

}  // namespace compress
