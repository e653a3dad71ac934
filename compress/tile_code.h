// The bits of one group of tiles: five streams, each of all its tiles in order, each padded with
// zeros to a byte.
//
//   heads        4  Rice parameter r, 0 to 11;
//                   or kPartialTile, then 12 bits of n, then r in 4 bits;
//                   or kZeroTile, and no stream holds more of this tile
//               16  high magnitude
//                8  ratio of the low one (compress/two_levels.h)
//   levels     1 n  1: high; not there if ratio is 0, for then all are high
//   signs      1 n  1: negative
//   remainders r n  the low r bits of each gap: an offset less the one before, less one; offsets
//                   ascend, row by row
//   quotients       the rest of each gap: as many zeros, then a one
//
// n is the tile's `keep`; less only if so few values of the tile are not zero. No value is zero.
// Everything is canonical: r is the best, n in a partial tile below `keep`, and with a ratio both
// levels occur.
//
// Why streams: all but the last are of known length once the heads are read, so norms need no more
// than heads and levels, and a machine reads many values at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/bytes.h"
#include "compress/bit_stream.h"
#include "compress/layout.h"
#include "compress/simd/gaps.h"
#include "compress/tile_groups.h"
#include "compress/two_levels.h"

namespace compress {

inline constexpr uint32_t kPartialTile = 14;
inline constexpr uint32_t kZeroTile = 15;

// A flag of each value of a tile: bit i of word i / 64. The bits behind the last are zero.
using TileFlags = std::array<uint64_t, kTileMax / 64>;

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
  std::vector<uint8_t> room_;
  std::vector<BitWriter> streams_;
};

// What a tile's head says.
struct TileHead {
  uint32_t count = 0;  // 0: a zero tile.
  uint32_t parameter = 0;
  TwoLevels levels;
};

// A tile as it is read: what is the same for the two uses of it, an Update and a sum.
struct ReadTile {
  TwoLevels levels;
  TileFlags negative;
  TileFlags high;  // Of more than are there, if all are.
  // Each offset less the one before; before the first is -1.
  alignas(64) std::array<int32_t, kTileMax + simd::kRoom> step;

  // Between the two steps of reading.
  simd::GapCode code;
  BitCursor remainders;
  simd::StopBits stops;
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
  // One for each run of the group.
  std::span<const RunSum> sums() const { return sums_; }

  // The next tile; false if it is not what is written for any tile of this shape.
  bool next(const Tile& tile, ReadTile& out) { return begin(tile, out) && finish(out); }
  // The same in two steps: another reader's first may stand between (compress/simd/gaps.h). There
  // are no steps in `out` before the second.
  bool begin(const Tile& tile, ReadTile& out);
  static bool finish(ReadTile& out);
  // After the last tile: nothing is left.
  bool at_end();

 private:
  bool place_streams(BitCursor at, uint64_t levels, uint64_t values, uint64_t remainders);
  bool sum_levels(const TileGroup& group, const Layout& layout);

  std::vector<uint8_t> copy_;
  std::vector<RunSum> sums_;
  BitCursor heads_;
  BitCursor levels_;
  BitCursor signs_;
  BitCursor remainders_;
  BitCursor quotients_;
};

// No tile of this shape takes more; the least is 4, of a zero tile.
uint64_t tile_bits_max(const Tile& tile);
inline constexpr uint64_t kTileBitsMin = 4;

// The same of a group, with what pads its five streams.
uint64_t group_bits_max(const TileGroup& group, const Layout& layout);
inline constexpr uint64_t kGroupPadMax = 5 * 7;

}  // namespace compress
