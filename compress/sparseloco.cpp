#include "compress/sparseloco.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "common/check.h"
#include "compress/tile_code.h"
#include "compress/tile_groups.h"
#include "compress/topk.h"

namespace compress {
namespace {

using Size = uint32_t;  // Of a group, in the table.

// --- encode ---

// The values of `tile`, row by row.
void gather(std::span<const float> tensor, uint32_t tensor_cols, const Tile& tile,
            std::vector<float>& values) {
  values.clear();
  for (uint32_t r = 0; r < tile.rows; ++r) {
    const auto row = tensor.subspan(uint64_t{tile.row + r} * tensor_cols + tile.col, tile.cols);
    values.insert(values.end(), row.begin(), row.end());
  }
}

// From values to what is sent of them.
class Quantiser {
 public:
  CodedTile& quantise(std::span<const float> values, uint32_t keep) {
    offsets_.resize(keep);
    top_k(values, offsets_);
    sorted_.clear();
    for (const uint16_t at : offsets_) {
      if (values[at] != 0) sorted_.push_back(std::fabs(values[at]));
    }
    coded_.offset.clear();
    coded_.negative.clear();
    coded_.high.clear();
    coded_.levels = {};
    if (sorted_.empty()) return coded_;

    std::sort(sorted_.begin(), sorted_.end(), std::greater<>());
    coded_.levels = two_levels(sorted_);
    if (coded_.levels.count == 0) return coded_;
    // Equal magnitudes are never on both sides of a split, so the least of each side tells the
    // sides apart.
    const float least_high = sorted_[coded_.levels.high_count - 1];
    const float least_sent = sorted_[coded_.levels.count - 1];
    for (const uint16_t at : offsets_) {
      const float magnitude = std::fabs(values[at]);
      if (magnitude < least_sent) continue;
      coded_.offset.push_back(at);
      coded_.negative.push_back(values[at] < 0);
      coded_.high.push_back(magnitude >= least_high);
    }
    return coded_;
  }

 private:
  std::vector<uint16_t> offsets_;
  std::vector<float> sorted_;  // Magnitudes, descending.
  CodedTile coded_;
};

void encode_run(BitWriter& out, const TileRun& run, std::span<const float> values,
                const Layout& layout, Quantiser& quantiser) {
  const Tensor& tensor = layout.tensors()[run.tensor];
  std::vector<float> tile_values;
  for (uint64_t i = 0; i < run.count; ++i) {
    const Tile tile = layout.tile(run.tensor, run.first + i);
    gather(values.subspan(tensor.offset, tensor.size()), tensor.cols, tile, tile_values);
    write_tile(out, quantiser.quantise(tile_values, tile.keep), tile);
  }
}

// --- decode ---

// Brings the values of tiles side by side into the order of the flat array.
class Band {
 public:
  void add(const CodedTile& coded, const Tile& tile, uint32_t tensor_cols) {
    const auto high = static_cast<float>(coded.levels.high());
    const auto low = static_cast<float>(coded.levels.low());
    for (size_t i = 0; i < coded.offset.size(); ++i) {
      const uint32_t row = coded.offset[i] / tile.cols;
      const uint32_t col = coded.offset[i] % tile.cols;
      const float magnitude = coded.high[i] ? high : low;
      entries_.push_back({row, (tile.row + row) * tensor_cols + tile.col + col,
                          coded.negative[i] ? -magnitude : magnitude});
      ++row_counts_[row];
    }
  }

  // A stable counting sort by row: within a row, tiles came from left to right and each in its
  // order.
  void flush(SparseTensor& out) {
    size_t next = out.index.size();
    std::array<size_t, kRowsMax> place;
    for (size_t r = 0; r < kRowsMax; ++r) {
      place[r] = next;
      next += row_counts_[r];
    }
    out.index.resize(next);
    out.value.resize(next);
    for (const Entry& entry : entries_) {
      const size_t at = place[entry.row]++;
      out.index[at] = entry.index;
      out.value[at] = entry.value;
    }
    entries_.clear();
    row_counts_.fill(0);
  }

 private:
  static constexpr size_t kRowsMax = 64;
  static_assert(kRowsMax * kRowsMax == kTileMax);

  struct Entry {
    uint32_t row;    // In the band.
    uint32_t index;  // In the tensor.
    float value;
  };
  std::vector<Entry> entries_;
  std::array<size_t, kRowsMax> row_counts_{};
};

// Sum of squares of one tile: exact (compress/two_levels.h), in whatever order it is computed.
double energy(const TwoLevels& levels) {
  const double low_count = levels.count - levels.high_count;
  return levels.high_count * (levels.high() * levels.high()) +
         low_count * (levels.low() * levels.low());
}

// Appends a run's values to its tensor. Returns their sum of squares, or nothing for bits that no
// encoder writes. The sum goes from tile to tile: exact terms in one order, each addition rounded.
std::optional<double> decode_run(BitReader& in, const TileRun& run, const Layout& layout,
                                 SparseTensor& out) {
  const Tensor& tensor = layout.tensors()[run.tensor];
  const uint32_t tiles_per_band = layout.tiles_per_band(run.tensor);
  Band band;
  CodedTile coded;
  double squares = 0;
  for (uint64_t i = 0; i < run.count; ++i) {
    const Tile tile = layout.tile(run.tensor, run.first + i);
    if (!read_tile(in, tile, coded)) return std::nullopt;
    squares += energy(coded.levels);
    band.add(coded, tile, tensor.cols);
    if ((i + 1) % tiles_per_band == 0) band.flush(out);
  }
  return squares;
}

// Adds a group to the update, and to the sums of squares of its tensors. False for malformed bytes.
bool decode_group(ByteView bytes, const TileGroup& group, const Layout& layout, Update& update,
                  std::span<double> squares) {
  BitReader in(bytes);
  for (const TileRun& run : group.runs) {
    const auto sum = decode_run(in, run, layout, update.tensors[run.tensor]);
    if (!sum) return false;
    squares[run.tensor] += *sum;
  }
  return in.at_end();
}

uint64_t group_size_min(const TileGroup& group) { return (group.count * kTileBitsMin + 7) / 8; }

uint64_t group_size_max(const TileGroup& group, const Layout& layout) {
  uint64_t bits = 0;
  for (const TileRun& run : group.runs) {
    uint64_t tile_bits = 0;  // Of the last tile; nearly always the next one has its shape.
    uint32_t tile_size = 0;
    for (uint64_t i = 0; i < run.count; ++i) {
      const Tile tile = layout.tile(run.tensor, run.first + i);
      if (tile.size() != tile_size) {
        tile_size = tile.size();
        tile_bits = tile_bits_max(tile);
      }
      bits += tile_bits;
    }
  }
  return (bits + 7) / 8;
}

// The bytes of each group, if the table is possible for these groups and is of this body.
Judged<std::vector<ByteView>> split(ByteView body, std::span<const TileGroup> groups,
                                    const Layout& layout) {
  common::ByteReader in(body);
  std::vector<Size> sizes(groups.size());
  for (Size& size : sizes) size = in.number<Size>();
  if (!in.ok()) return tl::unexpected(Verdict::kWrongShape);
  std::vector<ByteView> parts;
  parts.reserve(groups.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    if (sizes[g] < group_size_min(groups[g]) || sizes[g] > group_size_max(groups[g], layout)) {
      return tl::unexpected(Verdict::kWrongShape);
    }
    parts.push_back(in.raw(sizes[g]));
  }
  if (!in.at_end()) return tl::unexpected(Verdict::kMalformed);
  return parts;
}

}  // namespace

Bytes SparseLoco::encode(std::span<const float> values, const Layout& layout) const {
  CHECK(values.size() == layout.parameter_count());
  const std::vector<TileGroup> groups = tile_groups(layout);
  Bytes body(groups.size() * sizeof(Size));
  body.reserve(body.size() + layout.kept_count() * 5 / 4);  // Ten bits a value.
  Quantiser quantiser;
  for (size_t g = 0; g < groups.size(); ++g) {
    const size_t start = body.size();
    BitWriter out(body);
    for (const TileRun& run : groups[g].runs) encode_run(out, run, values, layout, quantiser);
    out.pad();
    const auto size = static_cast<Size>(body.size() - start);
    std::memcpy(body.data() + g * sizeof(Size), &size, sizeof(Size));
  }
  return body;
}

Judged<Update> SparseLoco::decode(ByteView body, const Layout& layout) const {
  if (body.size() > body_size_max(layout)) return tl::unexpected(Verdict::kOversized);
  const std::vector<TileGroup> groups = tile_groups(layout);
  const auto parts = split(body, groups, layout);
  if (!parts) return tl::unexpected(parts.error());

  Update update;
  update.tensors.resize(layout.tensors().size());
  std::vector<double> squares(update.tensors.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    if (!decode_group((*parts)[g], groups[g], layout, update, squares)) {
      return tl::unexpected(Verdict::kMalformed);
    }
  }
  if (update.value_count() == 0) return tl::unexpected(Verdict::kEmpty);
  for (size_t t = 0; t < squares.size(); ++t) update.tensors[t].norm = std::sqrt(squares[t]);
  return update;
}

uint64_t SparseLoco::body_size_max(const Layout& layout) const {
  uint64_t size = 0;
  for (const TileGroup& group : tile_groups(layout)) {
    size += sizeof(Size) + group_size_max(group, layout);
  }
  return size;
}

}  // namespace compress
