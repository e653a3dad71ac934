#include "compress/tile_code.h"

#include <algorithm>
#include <numeric>

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

void write_flags(BitWriter& out, const std::vector<uint8_t>& flags) {
  for (size_t i = 0; i < flags.size(); i += 32) {
    const size_t count = std::min<size_t>(32, flags.size() - i);
    uint64_t bits = 0;
    for (size_t j = 0; j < count; ++j) bits |= uint64_t{flags[i + j]} << j;
    out.put(bits, static_cast<uint32_t>(count));
  }
}

void read_flags(BitReader& in, std::vector<uint8_t>& flags) {
  for (size_t i = 0; i < flags.size(); i += 32) {
    const size_t count = std::min<size_t>(32, flags.size() - i);
    const uint64_t bits = in.take(static_cast<uint32_t>(count));
    for (size_t j = 0; j < count; ++j) flags[i + j] = (bits >> j) & 1;
  }
}

// The number of values and the Rice parameter; a count of 0 is a zero tile.
struct Start {
  uint32_t count;
  uint32_t parameter;
};

// Nothing about the parameter is checked but its range; `keep` + 1 values mean: malformed.
Start read_start(BitReader& in, uint32_t keep) {
  auto parameter = static_cast<uint32_t>(in.take(kParameterBits));
  uint32_t count = keep;
  if (parameter == kZeroTile) return {0, 0};
  if (parameter == kPartialTile) {
    count = static_cast<uint32_t>(in.take(kCountBits));
    parameter = static_cast<uint32_t>(in.take(kParameterBits));
    if (count == 0 || count >= keep) return {keep + 1, 0};
  }
  return {parameter <= kRiceMax ? count : keep + 1, parameter};
}

// Offsets of `in`, as many as coded.offset has room for. False if one lies beyond the tile or the
// parameter is not the one that the gaps demand.
bool read_offsets(BitReader& in, uint32_t parameter, uint32_t tile_size, CodedTile& coded) {
  uint32_t next = 0;  // The least that the next offset can be.
  coded.gap.resize(coded.offset.size());
  for (size_t i = 0; i < coded.offset.size(); ++i) {
    const uint32_t quotient = in.take_unary(tile_size >> parameter);
    const uint32_t gap = quotient << parameter | static_cast<uint32_t>(in.take(parameter));
    if (!in.ok() || gap >= tile_size - next) return false;
    coded.gap[i] = static_cast<uint16_t>(gap);
    coded.offset[i] = static_cast<uint16_t>(next + gap);
    next += gap + 1;
  }
  return rice_parameter(coded.gap) == parameter;
}

uint64_t values_bits_max(uint32_t count, uint32_t tile_size) {
  return kParameterBits + kMagnitudeBits + rice_bits_max(count, tile_size) + 2 * count;
}

}  // namespace

void write_tile(BitWriter& out, CodedTile& coded, const Tile& tile) {
  const auto count = static_cast<uint32_t>(coded.offset.size());
  CHECK(count == coded.levels.count && count <= tile.keep);
  if (count == 0) return out.put(kZeroTile, kParameterBits);
  if (count < tile.keep) {
    out.put(kPartialTile, kParameterBits);
    out.put(count, kCountBits);
  }
  uint32_t next = 0;
  coded.gap.clear();
  for (const uint16_t offset : coded.offset) {
    coded.gap.push_back(static_cast<uint16_t>(offset - next));
    next = offset + 1u;
  }
  const uint32_t parameter = rice_parameter(coded.gap);
  out.put(parameter, kParameterBits);
  out.put(coded.levels.high_code, kHighBits);
  out.put(coded.levels.ratio, kRatioBits);
  for (const uint32_t gap : coded.gap) {
    out.put_unary(gap >> parameter);
    out.put(gap & ((1u << parameter) - 1), parameter);
  }
  write_flags(out, coded.negative);
  if (coded.levels.ratio != 0) write_flags(out, coded.high);
}

bool read_tile(BitReader& in, const Tile& tile, CodedTile& coded) {
  const auto [count, parameter] = read_start(in, tile.keep);
  if (!in.ok() || count > tile.keep) return false;
  coded.levels = {.high_count = count, .count = count};
  coded.offset.resize(count);
  coded.negative.resize(count);
  coded.high.assign(count, 1);
  if (count == 0) return true;

  coded.levels.high_code = static_cast<uint16_t>(in.take(kHighBits));
  coded.levels.ratio = static_cast<uint8_t>(in.take(kRatioBits));
  if (!read_offsets(in, parameter, tile.size(), coded)) return false;
  read_flags(in, coded.negative);
  if (coded.levels.ratio != 0) {
    read_flags(in, coded.high);
    coded.levels.high_count = std::accumulate(coded.high.begin(), coded.high.end(), 0u);
    // One level alone is written as a high one, without a ratio.
    if (coded.levels.high_count == 0 || coded.levels.high_count == count) return false;
  }
  return in.ok();
}

uint64_t tile_bits_max(const Tile& tile) {
  const uint64_t whole = values_bits_max(tile.keep, tile.size());
  if (tile.keep == 1) return whole;
  // More values never take fewer bits, so of the partial tiles the fullest is the longest.
  return std::max(whole, kParameterBits + kCountBits + values_bits_max(tile.keep - 1, tile.size()));
}

}  // namespace compress
