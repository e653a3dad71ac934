#include "compress/tile_groups.h"

namespace compress {
namespace {

void append(TileGroup& group, size_t tensor, uint64_t first, uint64_t count) {
  if (group.runs.empty() || group.runs.back().tensor != tensor) {
    group.runs.push_back({tensor, first, 0});
  }
  group.runs.back().count += count;
  group.count += count;
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

}  // namespace compress
