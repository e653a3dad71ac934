#include "compress/tile_code.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/check.h"
#include "compress/rice.h"

namespace compress {
namespace {

constexpr uint32_t kParameterBits = 4;
constexpr uint32_t kCountBits = 12;
constexpr uint32_t kHighBits = 16;
constexpr uint32_t kRatioBits = 8;
constexpr uint32_t kMagnitudeBits = kHighBits + kRatioBits;
static_assert(kRiceMax < kPartialTile);
static_assert(kTileMax <= 1u << kCountBits, "a partial tile's count is below its keep");

enum Stream { kHeads, kLevels, kSigns, kRemainders, kQuotients, kStreams };

void write_flags(BitWriter& out, const TileFlags& flags, uint32_t count) {
  for (uint32_t i = 0; i < count; i += 64) out.put_word(flags[i / 64], std::min(64u, count - i));
}

void read_flags(BitCursor& in, uint32_t count, TileFlags& flags) {
  for (uint32_t i = 0; i < count; i += 64) {
    const uint32_t here = std::min(64u, count - i);
    flags[i / 64] = in.word(i) & (~uint64_t{0} >> (64 - here));
  }
  in.at += count;
}

// How many of the next `count` bits are ones.
uint32_t count_ones(BitCursor& in, uint32_t count) {
  uint32_t ones = 0;
  for (uint32_t i = 0; i < count; i += 64) {
    const uint32_t here = std::min(64u, count - i);
    ones += static_cast<uint32_t>(std::popcount(in.word(i) & (~uint64_t{0} >> (64 - here))));
  }
  in.at += count;
  return ones;
}

// Sum of squares of one tile: exact (compress/two_levels.h), in whatever order it is computed.
double energy(const TwoLevels& levels) {
  const double low_count = levels.count - levels.high_count;
  return levels.high_count * (levels.high() * levels.high()) +
         low_count * (levels.low() * levels.low());
}

// One head; false for what no head is. high_count is filled in from the levels.
bool read_head(BitCursor& in, uint32_t keep, TileHead& head) {
  head = {.count = keep, .parameter = static_cast<uint32_t>(in.take(kParameterBits)), .levels = {}};
  if (head.parameter == kZeroTile) {
    head = {};
    return in.ok();
  }
  if (head.parameter == kPartialTile) {
    head.count = static_cast<uint32_t>(in.take(kCountBits));
    head.parameter = static_cast<uint32_t>(in.take(kParameterBits));
    if (head.count == 0 || head.count >= keep) return false;
  }
  const uint64_t magnitude = in.take(kMagnitudeBits);
  head.levels.count = head.levels.high_count = head.count;
  head.levels.high_code = static_cast<uint16_t>(magnitude);
  head.levels.ratio = static_cast<uint8_t>(magnitude >> kHighBits);
  return in.ok() && head.parameter <= kRiceMax;
}

// A stream of `bits` from the cursor on; false if what pads it is not zero.
bool skip_stream(BitCursor& in, uint64_t bits) {
  in.at += bits;
  return in.pad() && in.ok();
}

uint64_t values_bits_max(uint32_t count, uint32_t tile_size) {
  return kParameterBits + kMagnitudeBits + rice_bits_max(count, tile_size) + 2 * count;
}

}  // namespace

// --- write ---

void GroupWriter::begin(const TileGroup& group, const Layout& layout) {
  const uint64_t size = group_bits_max(group, layout) / 8 + 1 + BitWriter::kSlack;
  if (room_.size() < kStreams * size) room_.resize(kStreams * size);
  streams_.clear();
  for (size_t s = 0; s < kStreams; ++s) streams_.emplace_back(room_.data() + s * size);
}

void GroupWriter::write(const CodedTile& coded, const Tile& tile) {
  const uint32_t count = coded.levels.count;
  CHECK(count <= tile.keep);
  BitWriter& heads = streams_[kHeads];
  if (count == 0) return heads.put(kZeroTile, kParameterBits);
  if (count < tile.keep)
    heads.put(kPartialTile | count << kParameterBits, kParameterBits + kCountBits);
  const uint32_t parameter = simd::write_gaps(std::span(coded.offset).first(count),
                                              streams_[kRemainders], streams_[kQuotients]);
  const uint64_t magnitude = coded.levels.high_code | uint64_t{coded.levels.ratio} << kHighBits;
  heads.put(parameter | magnitude << kParameterBits, kParameterBits + kMagnitudeBits);
  if (coded.levels.ratio != 0) write_flags(streams_[kLevels], coded.high, count);
  write_flags(streams_[kSigns], coded.negative, count);
}

void GroupWriter::end(common::Bytes& out) {
  for (BitWriter& stream : streams_) {
    stream.pad();
    const common::ByteView bytes = stream.bytes();
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
}

// --- read ---

bool GroupReader::open(common::ByteView body, uint64_t first, uint64_t size, const TileGroup& group,
                       const Layout& layout) {
  const uint8_t* bytes = body.data() + first;
  if (first + size + BitCursor::kSlack > body.size()) {
    copy_.assign(size + BitCursor::kSlack, 0);
    std::memcpy(copy_.data(), bytes, size);
    bytes = copy_.data();
  }
  heads_ = {.bytes = bytes, .at = 0, .end = 8 * size};
  uint64_t levels = 0;
  uint64_t values = 0;
  uint64_t remainders = 0;
  BitCursor heads = heads_;
  TileHead head;
  for (const TileRun& run : group.runs) {
    TileWalk tiles(layout, run);
    for (uint64_t i = 0; i < run.count; ++i) {
      if (!read_head(heads, tiles.next().keep, head)) return false;
      if (head.levels.ratio != 0) levels += head.count;
      values += head.count;
      remainders += uint64_t{head.count} * head.parameter;
    }
  }
  if (!place_streams(heads, levels, values, remainders)) return false;
  return sum_levels(group, layout);
}

bool GroupReader::place_streams(BitCursor at, uint64_t levels, uint64_t values,
                                uint64_t remainders) {
  if (!skip_stream(at, 0)) return false;
  // Each quotient has a bit at least. Now nothing here is beyond the end.
  if (levels + values + remainders + values > at.end - at.at) return false;
  levels_ = at;
  if (!skip_stream(at, levels)) return false;
  signs_ = at;
  if (!skip_stream(at, values)) return false;
  remainders_ = at;
  if (!skip_stream(at, remainders)) return false;
  quotients_ = at;
  return true;
}

// Fills sums_. False if a tile with a ratio has but one level.
bool GroupReader::sum_levels(const TileGroup& group, const Layout& layout) {
  sums_.assign(group.runs.size(), {});
  BitCursor heads = heads_;
  BitCursor levels = levels_;
  TileHead head;
  for (size_t r = 0; r < group.runs.size(); ++r) {
    TileWalk tiles(layout, group.runs[r]);
    for (uint64_t i = 0; i < group.runs[r].count; ++i) {
      read_head(heads, tiles.next().keep, head);
      if (head.levels.ratio != 0) {
        head.levels.high_count = count_ones(levels, head.count);
        // One level alone is written as a high one, without a ratio.
        if (head.levels.high_count == 0 || head.levels.high_count == head.count) return false;
      }
      sums_[r].count += head.count;
      sums_[r].squares += energy(head.levels);
    }
  }
  return true;
}

bool GroupReader::begin(const Tile& tile, ReadTile& out) {
  // With many readers taking turns there are more streams than a core watches by itself. What is
  // asked for may lie behind the group: nothing is read.
  constexpr uint64_t kAhead = 512;
  for (const BitCursor* stream : {&remainders_, &quotients_, &signs_, &levels_}) {
    __builtin_prefetch(stream->bytes + stream->at / 8 + kAhead);
  }
  TileHead head;
  read_head(heads_, tile.keep, head);
  out.levels = head.levels;
  out.code = {head.count, head.parameter, tile.size()};
  if (head.count == 0) return true;
  read_flags(signs_, head.count, out.negative);
  if (head.levels.ratio != 0) {
    read_flags(levels_, head.count, out.high);
  } else {
    std::fill_n(out.high.begin(), (head.count + 63) / 64, ~uint64_t{0});
  }
  out.remainders = remainders_;
  remainders_.at += uint64_t{head.count} * head.parameter;
  return simd::read_stop_bits(out.code, quotients_, out.stops);
}

bool GroupReader::finish(ReadTile& out) {
  return out.code.count == 0 || simd::read_steps(out.code, out.remainders, out.stops, out.step);
}

bool GroupReader::at_end() { return quotients_.pad() && quotients_.at == quotients_.end; }

// --- sizes ---

uint64_t tile_bits_max(const Tile& tile) {
  const uint64_t whole = values_bits_max(tile.keep, tile.size());
  if (tile.keep == 1) return whole;
  // More values never take fewer bits, so of the partial tiles the fullest is the longest.
  return std::max(whole, kParameterBits + kCountBits + values_bits_max(tile.keep - 1, tile.size()));
}

uint64_t group_bits_max(const TileGroup& group, const Layout& layout) {
  uint64_t bits = kGroupPadMax;
  for (const TileRun& run : group.runs) {
    uint64_t tile_bits = 0;  // Of the last tile; nearly always the next one has its shape.
    uint32_t tile_size = 0;
    TileWalk tiles(layout, run);
    for (uint64_t i = 0; i < run.count; ++i) {
      const Tile tile = tiles.next();
      if (tile.size() != tile_size) {
        tile_size = tile.size();
        tile_bits = tile_bits_max(tile);
      }
      bits += tile_bits;
    }
  }
  return bits;
}

}  // namespace compress
