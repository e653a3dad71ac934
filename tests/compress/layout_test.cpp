// Goal: tiles cover every value of every tensor once, also at the edges, and know how many values
// to keep. Method: small shapes by hand; then each value of odd shapes is counted.
#include "compress/layout.h"

#include <gtest/gtest.h>

#include <vector>

#include "compress/tile_groups.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::layout_of;

TEST(Layout, CountsTheTilesOfMatricesAndVectors) {
  // 100 x 130: 2 x 3 tiles; a vector of 5,000: 2 runs; 64 x 64: 1; one value: 1.
  const Layout layout = layout_of({{100, 130}, {1, 5000}, {64, 64}, {1, 1}});
  EXPECT_EQ(layout.tile_count(), 6u + 2 + 1 + 1);
  EXPECT_EQ(layout.first_tile(1), 6u);
  EXPECT_EQ(layout.first_tile(4), layout.tile_count());
  EXPECT_EQ(layout.parameter_count(), 13000u + 5000 + 4096 + 1);
  EXPECT_EQ(layout.tensors()[3].offset, 13000u + 5000 + 4096);
}

TEST(Layout, CutsTilesAtTheRightAndLowerEdge) {
  const Layout layout = layout_of({{100, 130}});
  const Tile last = layout.tile(0, 5);
  EXPECT_EQ(last.row, 64u);
  EXPECT_EQ(last.col, 128u);
  EXPECT_EQ(last.rows, 36u);
  EXPECT_EQ(last.cols, 2u);
  EXPECT_EQ(last.keep, 2u);  // ceil(72 * 64 / 4096) = ceil(1.125)
  EXPECT_EQ(layout.tile(0, 0).keep, 64u);
  EXPECT_EQ(layout.tile(0, 2).keep, 2u);   // 64 x 2: exactly 2
  EXPECT_EQ(layout.tile(0, 3).keep, 36u);  // 36 x 64: exactly 36
  EXPECT_EQ(layout.kept_count(), 64u + 64 + 2 + 36 + 36 + 2);
}

TEST(Layout, AVectorIsCutIntoRuns) {
  const Layout layout = layout_of({{1, 5000}});
  const Tile last = layout.tile(0, 1);
  EXPECT_EQ(last.col, 4096u);
  EXPECT_EQ(last.rows, 1u);
  EXPECT_EQ(last.cols, 904u);
  EXPECT_EQ(last.keep, 15u);  // ceil(904 / 64) = ceil(14.125)
}

TEST(Layout, OneValueIsKeptOfTheSmallestTile) {
  EXPECT_EQ(layout_of({{1, 1}}).tile(0, 0).keep, 1u);
}

TEST(Layout, NoTensorsAreNoTiles) {
  const Layout layout = layout_of({});
  EXPECT_EQ(layout.tile_count(), 0u);
  EXPECT_EQ(layout.parameter_count(), 0u);
}

TEST(Layout, EveryValueLiesInExactlyOneTile) {
  for (const auto& shape : std::vector<std::pair<uint32_t, uint32_t>>{
           {1, 9000}, {9000, 1}, {65, 63}, {64, 129}, {2, 2}, {200, 130}}) {
    const Layout layout = layout_of({shape});
    std::vector<int> seen(layout.parameter_count());
    for (uint64_t i = 0; i < layout.tile_count(); ++i) {
      const Tile tile = layout.tile(0, i);
      EXPECT_GE(tile.keep, 1u);
      EXPECT_LE(tile.keep, tile.size());
      for (uint32_t r = 0; r < tile.rows; ++r) {
        for (uint32_t c = 0; c < tile.cols; ++c) {
          ++seen[uint64_t{tile.row + r} * shape.second + tile.col + c];
        }
      }
    }
    EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << shape.first << " x " << shape.second;
  }
}

TEST(LayoutDeathTest, AnImpossibleLayoutIsABug) {
  EXPECT_DEATH(layout_of({{1, 1}}, 50, 5), "a tile is a square");
  EXPECT_DEATH(layout_of({{1, 1}}, 64, 0), "CHECK failed");
  EXPECT_DEATH(layout_of({{1, 1}}, 64, 65), "CHECK failed");
  EXPECT_DEATH(layout_of({{1, 1}}, 8100, 5), "CHECK failed");
  EXPECT_DEATH(layout_of({{0, 3}}), "CHECK failed");
  EXPECT_DEATH(layout_of({{65536, 65536}}), "CHECK failed");
}

TEST(TileGroups, AreWholeBandsOfOneTensorOrOfSeveral) {
  // 16 x 16 tiles, 1,100 bands of 2 tiles (8 x 8), and 1,025 runs of a vector.
  const Layout layout = layout_of({{128, 128}, {8800, 16}, {1, 64 * 1025}}, 64, 5);
  std::vector<std::vector<uint64_t>> as_numbers;
  for (const TileGroup& group : tile_groups(layout)) {
    std::vector<uint64_t>& numbers = as_numbers.emplace_back(1, group.count);
    for (const TileRun& run : group.runs) {
      numbers.insert(numbers.end(), {run.tensor, run.first, run.count});
    }
  }
  EXPECT_EQ(as_numbers, (std::vector<std::vector<uint64_t>>{{1024, 0, 0, 256, 1, 0, 768},
                                                            {1024, 1, 768, 1024},
                                                            {1024, 1, 1792, 408, 2, 0, 616},
                                                            {409, 2, 616, 409}}));
}

TEST(TileGroups, ABandIsNeverCut) {
  const Layout layout = layout_of({{16, 8 * 1500}}, 64, 5);  // Two bands of 1,500 tiles.
  ASSERT_EQ(tile_groups(layout).size(), 2u);
  EXPECT_EQ(tile_groups(layout)[1].runs[0].first, 1500u);
}

}  // namespace
}  // namespace compress
