#include "compress/tile_code.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "compress/level_code.h"
#include "compress/rice.h"
#include "compress/tile_widths.h"

namespace compress {
namespace {

// Of a tile's head. A step in Rice code with the best parameter takes no more than its plain number
// and two bits, in sum.
constexpr uint32_t kPartialBits = 2;
constexpr uint32_t kTileHeadBitsMax =
    kPartialBits + kCountBits + magnitude_code::kBits + 2 + magnitude_code::kRatioBits + 2;
static_assert(kTileMax <= 1u << kCountBits, "a partial tile's count is below its keep");

enum Stream { kLevels, kHeads, kValues, kStreams };

// Each `width` bits, four at a time; zeros behind them up to a multiple of four.
void put_fields(BitWriter& out, std::span<const uint32_t> fields, uint32_t width) {
  for (size_t i = 0; i < fields.size(); i += 4) {
    uint64_t bits = 0;
    for (size_t j = 0; j < 4; ++j) bits |= uint64_t{fields.data()[i + j]} << j * width;
    out.put(bits, width * static_cast<uint32_t>(std::min<size_t>(fields.size() - i, 4)));
  }
}

// Four at a time where they fit, which is nearly always.
void put_quotients(BitWriter& out, std::span<const uint32_t> quotients) {
  size_t i = 0;
  for (; i + 4 <= quotients.size(); i += 4) {
    uint64_t bits = 0;
    uint32_t size = 0;
    for (size_t j = i; j < i + 4; ++j) {
      size += quotients[j];
      bits |= uint64_t{1} << size % 64;
      ++size;
    }
    if (size <= BitWriter::kPutMax) {
      out.put(bits, size);
    } else {
      for (size_t j = i; j < i + 4; ++j) out.put_unary(quotients[j]);
    }
  }
  for (; i < quotients.size(); ++i) out.put_unary(quotients[i]);
}

// Up to 64 values: the fields of their gaps, signs, last bits, quotients.
void put_block(std::span<const int32_t> offset, int32_t before, uint64_t negative,
               const GapCode& code, BitWriter& out) {
  std::array<uint32_t, 64 + 4> field;
  std::array<uint32_t, 64> quotient;
  uint64_t last_bits = 0;
  uint32_t last_bit_count = 0;
  const size_t count = offset.size();
  for (size_t i = 0; i < count; ++i) {
    const auto gap = static_cast<uint32_t>(offset[i] - before - 1);
    before = offset[i];
    quotient[i] = code.quotient(gap);
    const uint32_t remainder = gap - quotient[i] * code.modulus;
    // No branch: every other time it would be mispredicted.
    const uint32_t has_last = remainder >= code.plain;
    const uint32_t whole = remainder + code.plain * has_last;
    last_bits |= uint64_t{whole & has_last} << last_bit_count % 64;
    last_bit_count += has_last;
    field[i] = whole >> has_last;
  }
  std::fill_n(field.begin() + static_cast<std::ptrdiff_t>(count), 4, 0);
  put_fields(out, std::span(field).first(count), code.width);
  out.put_word(negative, static_cast<uint32_t>(count));
  out.put_word(last_bits, last_bit_count);
  put_quotients(out, std::span(quotient).first(count));
}

void put_values(std::span<const int32_t> offset, const TileFlags& negative, const GapCode& code,
                BitWriter& out) {
  for (size_t first = 0; first < offset.size(); first += 64) {
    const int32_t before = first == 0 ? -1 : offset[first - 1];
    const auto block = offset.subspan(first, std::min<size_t>(64, offset.size() - first));
    put_block(block, before, negative[first / 64], code, out);
  }
}

// Whether and how a tile is not whole.
void put_count(BitWriter& out, uint32_t count, uint32_t keep) {
  out.put(count == keep, 1);
  if (count == keep) return;
  out.put(count != 0, 1);
  if (count != 0) out.put(count, kCountBits);
}

}  // namespace

// --- write ---

void GroupWriter::begin(const TileGroup& group, const Layout& layout) {
  const uint64_t size = group_bits_max(group, layout) / 8 + 1 + BitWriter::kSlack;
  if (room_.size() < kStreams * size) room_.resize(kStreams * size);
  streams_.clear();
  for (size_t s = 0; s < kStreams; ++s) streams_.emplace_back(room_.data() + s * size);
  heads_.clear();
}

void GroupWriter::write(const CodedTile& coded, const Tile& tile) {
  const uint32_t count = coded.levels.count;
  CHECK(count <= tile.keep);
  heads_.push_back({.count = static_cast<uint16_t>(count),
                    .keep = static_cast<uint16_t>(tile.keep),
                    .high_code = coded.levels.high_code,
                    .ratio = coded.levels.ratio});
  if (count == 0) return;
  if (coded.levels.ratio != 0) {
    for (uint32_t i = 0; i < count; i += 64) {
      put_levels(streams_[kLevels], coded.high[i / 64], std::min(64u, count - i));
    }
  }
  put_values(std::span(coded.offset).first(count), coded.negative,
             GapCode::of(tile.size(), tile.keep), streams_[kValues]);
}

// All heads at once, for Rice's parameters are the group's.
void GroupWriter::write_heads() {
  std::vector<uint16_t> high_steps;
  std::vector<uint16_t> ratio_steps;
  const Head* before = nullptr;
  bool all_whole = true;
  for (const Head& head : heads_) {
    all_whole &= head.count == head.keep;
    if (head.count == 0) continue;
    if (before != nullptr) {
      high_steps.push_back(zigzag(head.high_code - before->high_code));
      ratio_steps.push_back(zigzag(head.ratio - before->ratio));
    }
    before = &head;
  }
  const uint32_t high_parameter = rice_parameter(high_steps);
  const uint32_t ratio_parameter = rice_parameter(ratio_steps);
  BitWriter& out = streams_[kHeads];
  out.put(all_whole, 1);
  out.put(high_parameter, kHighRiceBits);
  out.put(ratio_parameter, kRatioRiceBits);
  size_t sent = 0;
  for (const Head& head : heads_) {
    if (!all_whole) put_count(out, head.count, head.keep);
    if (head.count == 0) continue;
    if (sent == 0) {
      out.put(head.high_code, magnitude_code::kBits);
      out.put(head.ratio, magnitude_code::kRatioBits);
    } else {
      put_rice(out, high_steps[sent - 1], high_parameter);
      put_rice(out, ratio_steps[sent - 1], ratio_parameter);
    }
    ++sent;
  }
}

void GroupWriter::end(common::Bytes& out) {
  write_heads();
  for (BitWriter& stream : streams_) stream.pad();
  std::array<uint8_t, sizeof(uint32_t)> level_bytes;
  const auto size = static_cast<uint32_t>(streams_[kLevels].bytes().size());
  std::memcpy(level_bytes.data(), &size, sizeof size);
  out.insert(out.end(), level_bytes.begin(), level_bytes.end());
  for (const BitWriter& stream : streams_) {
    const common::ByteView bytes = stream.bytes();
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
}

// --- read ---

namespace {

// Sum of squares of one tile: exact (compress/two_levels.h), in whatever order it is computed.
double energy(const simd::TileHead& head) {
  const TwoLevels levels{.high_code = head.high_code, .ratio = head.ratio};
  const double low_count = head.count - head.high_count;
  return head.high_count * (levels.high() * levels.high()) +
         low_count * (levels.low() * levels.low());
}

}  // namespace

bool GroupReader::read(common::ByteView body, uint64_t first, uint64_t size, const TileGroup& group,
                       const Layout& layout, bool with_levels) {
  const uint8_t* bytes = body.data() + first;
  if (first + size + BitCursor::kSlack > body.size()) {
    copy_.assign(size + BitCursor::kSlack, 0);
    std::memcpy(copy_.data(), bytes, size);
    bytes = copy_.data();
  }
  BitCursor in{.bytes = bytes, .at = 0, .end = 8 * size};
  if (8 * size < kGroupHeadBits) return false;
  const uint64_t level_bits = 8 * in.take(kLevelSizeBits);
  streams_.levels = {.bytes = bytes, .at = in.at, .end = in.at + level_bits};
  if (in.at + level_bits + kGroupHeadBits - kLevelSizeBits > in.end) return false;
  in.at += level_bits;

  simd::HeadCode code;
  code.all_whole = in.take(1) != 0;
  code.high_parameter = static_cast<uint32_t>(in.take(kHighRiceBits));
  code.ratio_parameter = static_cast<uint32_t>(in.take(kRatioRiceBits));
  heads_.resize(group.count);
  next_head_ = 0;
  size_t next = 0;
  for (const TileRun& run : group.runs) {
    TileWalk tiles(layout, run);
    for (uint64_t i = 0; i < run.count; ++i) {
      heads_[next++].count = static_cast<uint16_t>(tiles.next().keep);
    }
  }
  BitCursor levels = streams_.levels;
  if (!simd::read_heads(code, in, with_levels ? &levels : nullptr, heads_)) return false;
  streams_.values = in;
  return streams_.values.pad() && streams_.values.ok() &&
         (!with_levels || (levels.pad() && levels.at == levels.end));
}

bool GroupReader::open(common::ByteView body, uint64_t first, uint64_t size, const TileGroup& group,
                       const Layout& layout) {
  if (!read(body, first, size, group, layout, true)) return false;
  sums_.assign(group.runs.size(), {});
  size_t next = 0;
  for (size_t r = 0; r < group.runs.size(); ++r) {
    for (uint64_t i = 0; i < group.runs[r].count; ++i) {
      const simd::TileHead& head = heads_[next++];
      sums_[r].count += head.count;
      sums_[r].squares += energy(head);
    }
  }
  return true;
}

bool GroupReader::reopen(common::ByteView body, uint64_t first, uint64_t size,
                         const TileGroup& group, const Layout& layout) {
  return read(body, first, size, group, layout, false);
}

bool GroupReader::next(const Tile& tile, ReadTile& out) {
  const simd::TileHead& head = heads_[next_head_++];
  out.levels = {.high_count = head.high_count,
                .count = head.count,
                .high_code = head.high_code,
                .ratio = head.ratio};
  if (head.count == 0) return true;
  const simd::PackedTile packed{.count = head.count,
                                .size = tile.size(),
                                .two_levels = head.ratio != 0,
                                .gaps = GapCode::of(tile.size(), tile.keep)};
  return simd::unpack(packed, streams_, out.values);
}

bool GroupReader::at_end() {
  return streams_.levels.pad() && streams_.levels.at == streams_.levels.end &&
         streams_.values.pad() && streams_.values.at == streams_.values.end;
}

// --- sizes ---

uint64_t group_bits_max(const TileGroup& group, const Layout& layout) {
  constexpr uint64_t kPad = kStreams * 7;
  uint64_t bits = kGroupHeadBits + kPad;
  for (const TileRun& run : group.runs) {
    uint64_t tile_bits = 0;  // Of the last tile; nearly always the next one has its shape.
    uint32_t tile_size = 0;
    TileWalk tiles(layout, run);
    for (uint64_t i = 0; i < run.count; ++i) {
      const Tile& tile = tiles.next();
      if (tile.size() != tile_size) {
        tile_size = tile.size();
        tile_bits = kTileHeadBitsMax + level_bits_max(tile.keep) + tile.keep +
                    GapCode::of(tile_size, tile.keep).bits_max(tile.keep, tile_size);
      }
      bits += tile_bits;
    }
  }
  return bits;
}

}  // namespace compress
