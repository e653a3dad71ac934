// The bits of one group of tiles: three streams, each of all its tiles in order, each padded with
// zeros to a byte.
//
//            32  bytes of the levels
//   levels      which of the values are high; none of a tile whose ratio is 0, for there all are
//   heads     1  1: all tiles are whole
//             4  Rice parameter of the high magnitudes (compress/rice.h)
//             3  the same of the ratios
//          and of each tile
//             1  1: whole; not there if all are
//             1  of a tile that is not: 1: some values are sent; 0: none, no stream holds more
//            12  n, if only some are
//               high magnitude: its step from the tile before in zigzag Rice code; the first in
//               14 bits
//               ratio of the low one (compress/two_levels.h): the same; the first in 6 bits
//   values   wn  of each gap the remainder's first w bits (compress/golomb.h); a gap is an offset
//               less the one before, less one; offsets ascend, row by row
//             n  signs: 1: negative
//               the last bits of those remainders that have one
//               the quotients: as many zeros, then a one
//
// Levels and values are of 64 at a time. Of two levels, half of the 64 apart, one bit says whether
// any is high, for all pairs; then of each pair that has any whether the first is; then of each
// where the first is whether the second is too. A quarter of the values is high as a rule, and
// three bits in four do.
//
// n is the tile's `keep`; less only if so few values of the tile are not zero. No value is zero.
// Everything is canonical: Rice's parameters are the best, Golomb's follows from the tile's shape,
// n in a partial tile is below `keep`, and with a ratio both levels occur.
//
// Why streams: norms need no more than heads and levels. Why 64: so many numbers of one width a
// machine reads at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/bytes.h"
#include "compress/bit_stream.h"
#include "compress/golomb.h"
#include "compress/layout.h"
#include "compress/simd/heads.h"
#include "compress/simd/sum.h"
#include "compress/simd/unpack.h"
#include "compress/tile_flags.h"
#include "compress/tile_groups.h"
#include "compress/two_levels.h"

namespace compress {

// The four values of a tile: low and high, and both negative. A value is looked up, for its flags
// are as good as random, and a branch on them would be mispredicted every other time.
class TileValue {
 public:
  explicit TileValue(const TwoLevels& levels)
      : value_{static_cast<float>(levels.low()), static_cast<float>(levels.high()),
               -static_cast<float>(levels.low()), -static_cast<float>(levels.high())} {}

  // Of value i, by its flags.
  float of(const TileFlags& high, const TileFlags& negative, uint32_t i) const {
    return value_[(high[i / 64] >> i % 64 & 1) + 2 * (negative[i / 64] >> i % 64 & 1)];
  }

 private:
  std::array<float, 4> value_;
};

// One tile, quantised. Large: made once, used for every tile.
struct CodedTile {
  TwoLevels levels;  // count: of the values here; high_count is the number of high flags.
  TileFlags negative;
  TileFlags high;
  alignas(64) std::array<int32_t, kTileMax + simd::kRoom> offset;  // Ascending; row * cols + col.
};

// Writes groups, one after the other; keeps its room between them.
class GroupWriter {
 public:
  // Begins a group.
  void begin(const TileGroup& group, const Layout& layout);
  void write(const CodedTile& coded, const Tile& tile);
  // Ends the group, and appends it to `out`.
  void end(common::Bytes& out);

 private:
  void write_heads();

  struct Head {
    uint16_t count = 0;
    uint16_t keep = 0;
    uint16_t high_code = 0;
    uint8_t ratio = 0;
  };

  std::vector<uint8_t> room_;
  std::vector<BitWriter> streams_;
  std::vector<Head> heads_;
};

// A tile as it is read: what is the same for the two uses of it, an Update and a sum.
struct ReadTile {
  TwoLevels levels;
  simd::UnpackedTile values;
};

// Reads a group that a stranger wrote. Its bytes are copied where they end too near the end of the
// body, for more is read than is used (BitCursor::kSlack).
class GroupReader {
 public:
  struct RunSum {
    uint64_t count = 0;  // Values of the run.
    double squares = 0;  // Their sum of squares; see compress/sparseloco.h.
  };

  // Reads heads and levels. Nothing if they are not what is written for any tiles of these shapes,
  // or if the other streams cannot be there. The bytes are `size` at `first` of `body`.
  bool open(common::ByteView body, uint64_t first, uint64_t size, const TileGroup& group,
            const Layout& layout);
  // The same without sums. What is wrong with the levels is seen by the tiles, or at the end.
  bool reopen(common::ByteView body, uint64_t first, uint64_t size, const TileGroup& group,
              const Layout& layout);
  // One for each run of the group.
  std::span<const RunSum> sums() const { return sums_; }

  // The next tile; false if it is not what is written for any tile of this shape.
  bool next(const Tile& tile, ReadTile& out);
  // Instead of `next`: the next tile as simd::add_tiles takes it, values times `scale`.
  simd::SentTile next_sent(float scale) {
    const simd::TileHead& head = heads_[next_head_++];
    const float high = magnitude_code::float_value(head.high_code);
    const float low = high * (static_cast<float>(head.ratio) * (1.0f / magnitude_code::kRatios));
    const float low_sent = scale * low;
    const float high_sent = scale * high;
    return {.from = &streams_,
            .count = head.count,
            .two_levels = head.ratio != 0,
            .value = {low_sent, high_sent, -low_sent, -high_sent}};
  }
  // After the last tile: nothing is left.
  bool at_end();

 private:
  bool read(common::ByteView body, uint64_t first, uint64_t size, const TileGroup& group,
            const Layout& layout, bool with_levels);

  std::vector<uint8_t> copy_;
  std::vector<simd::TileHead> heads_;
  size_t next_head_ = 0;
  std::vector<RunSum> sums_;
  simd::TileStreams streams_;
};

// No group has fewer bits for each tile.
inline constexpr uint64_t kTileBitsMin = 2;

// The most bits of a group, with what pads its streams.
uint64_t group_bits_max(const TileGroup& group, const Layout& layout);

}  // namespace compress
