#include "compress/sparseloco.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "common/check.h"
#include "compress/body_sum.h"
#include "compress/quantise.h"
#include "compress/simd/values.h"
#include "compress/tile_code.h"
#include "compress/tile_groups.h"

namespace compress {
namespace {

// --- encode ---

// What is encoded: e as it is, or decay * e + delta, which is put in e's place less what is sent.
// The arrays begin with the piece's first value.
struct Source {
  const float* values = nullptr;
  float* e = nullptr;  // Null: `values` are encoded as they are.
  const float* delta = nullptr;
  float decay = 0;
};

// Row and column of an offset in a tile, without a division.
class Rows {
 public:
  explicit Rows(uint32_t cols) : cols_(cols), inverse_((uint64_t{1} << 32) / cols + 1) {}

  // Exact below 2^16: the inverse is too large by less than cols / 2^32.
  uint32_t row(uint32_t offset) const { return static_cast<uint32_t>(offset * inverse_ >> 32); }
  uint32_t col(uint32_t offset) const { return offset - row(offset) * cols_; }

 private:
  uint32_t cols_;
  uint64_t inverse_;
};

// One thread's encoder: everything of one tile lies in its core's own memory.
class GroupEncoder : public PieceEncoder {
 public:
  explicit GroupEncoder(const BodyFormat& format, std::span<const TileGroup> groups)
      : PieceEncoder(format.decoder()), format_(format), groups_(groups) {}

  void encode(size_t piece, std::span<const float> values, Bytes& out) override {
    CHECK(values.size() == format_.pieces()[piece].count);
    encode_group(piece, {.values = values.data()}, out);
  }
  // One pass over memory: 12 bytes a parameter are moved.
  void feedback(size_t piece, std::span<float> e, float decay, std::span<const float> delta,
                Bytes& out) override {
    CHECK(e.size() == format_.pieces()[piece].count && delta.size() == e.size());
    encode_group(piece, {.e = e.data(), .delta = delta.data(), .decay = decay}, out);
  }

 private:
  // So many tiles are loaded at a time: rows of 64 values are too short for memory's liking.
  static constexpr uint32_t kStripTiles = 4;

  // Tiles side by side.
  struct Strip {
    uint32_t count = 0;
    std::array<Tile, kStripTiles> tile;
    std::array<uint32_t, kStripTiles> cols;
  };

  void encode_group(size_t piece, const Source& source, Bytes& out) {
    source_ = source;
    first_value_ = format_.pieces()[piece].first;
    writer_.begin(groups_[piece], layout());
    for (const TileRun& run : groups_[piece].runs) encode_run(run);
    writer_.end(out);
  }

  const Layout& layout() const { return format_.layout(); }

  void encode_run(const TileRun& run) {
    const Tensor& tensor = layout().tensors()[run.tensor];
    const uint32_t band = layout().tiles_per_band(run.tensor);
    TileWalk tiles(layout(), run);
    Strip strip;
    for (uint64_t i = 0; i < run.count;) {
      strip.count = std::min(kStripTiles, band - static_cast<uint32_t>(i % band));
      for (uint32_t t = 0; t < strip.count; ++t) {
        strip.tile[t] = tiles.next();
        strip.cols[t] = strip.tile[t].cols;
      }
      i += strip.count;
      encode_strip(tensor, strip);
    }
  }

  void encode_strip(const Tensor& tensor, const Strip& strip) {
    const Tile& leftmost = strip.tile[0];
    const simd::StripShape shape{leftmost.rows, tensor.cols,
                                 std::span(strip.cols).first(strip.count)};
    uint64_t first =
        tensor.offset + uint64_t{leftmost.row} * tensor.cols + leftmost.col - first_value_;
    simd::Ahead ahead;
    if (source_.e == nullptr) {
      simd::load_strip(source_.values + first, shape, values_.data());
    } else {
      simd::load_feedback(source_.e + first, source_.delta + first, source_.decay, shape,
                          values_.data());
      // As a rule the next strip is to the right.
      const uint64_t next = first + kStripTiles * leftmost.cols;
      ahead = {source_.e + next, source_.delta + next, tensor.cols, leftmost.rows,
               kStripTiles * leftmost.cols};
    }
    for (uint32_t t = 0; t < strip.count; ++t) {
      const Tile& tile = strip.tile[t];
      const CodedTile& coded = quantiser_.quantise(values_[t], tile.size(), tile.keep, ahead);
      writer_.write(coded, tile);
      if (source_.e != nullptr) {
        subtract(coded, tile.cols, tensor.cols, values_[t], source_.e + first);
      }
      first += tile.cols;
    }
  }

  // e = e - what is sent; e as it was is in `values`.
  static void subtract(const CodedTile& coded, uint32_t cols, uint64_t stride,
                       const simd::TileValues& values, float* e) {
    const Rows rows(cols);
    const TileValue value(coded.levels);
    for (uint32_t i = 0; i < coded.levels.count; ++i) {
      const auto at = static_cast<uint32_t>(coded.offset[i]);
      e[rows.row(at) * stride + rows.col(at)] =
          values.value[at] - value.of(coded.high, coded.negative, i);
    }
  }

  const BodyFormat& format_;
  std::span<const TileGroup> groups_;
  Source source_;
  uint64_t first_value_ = 0;  // Of the piece, in the flat array.
  std::array<simd::TileValues, kStripTiles> values_;
  Quantiser quantiser_;
  GroupWriter writer_;
};

// --- decode ---

// Brings the values of tiles side by side into the order of the flat array.
class Band {
 public:
  // `first` is the tile's first value in the piece.
  void add(const ReadTile& read, const Tile& tile, uint32_t first, uint32_t tensor_cols) {
    const Rows rows(tile.cols);
    const TileValue value(read.levels);
    size_t next = entries_.size();
    entries_.resize(next + read.levels.count);
    for (uint32_t i = 0; i < read.levels.count; ++i) {
      const uint32_t at = read.values.offset[i];
      const uint32_t row = rows.row(at);
      entries_[next++] = {row, first + row * tensor_cols + rows.col(at),
                          value.of(read.values.high, read.values.negative, i)};
      ++row_counts_[row];
    }
  }

  // A stable counting sort by row: within a row, tiles came from left to right and each in its
  // order. Appends to `out`.
  void flush(PieceValues& out) {
    size_t next = out.offset.size();
    std::array<size_t, kRowsMax> place;
    for (size_t r = 0; r < kRowsMax; ++r) {
      place[r] = next;
      next += row_counts_[r];
    }
    out.offset.resize(next);
    out.value.resize(next);
    for (const Entry& entry : entries_) {
      const size_t at = place[entry.row]++;
      out.offset[at] = entry.offset;
      out.value[at] = entry.value;
    }
    entries_.clear();
    row_counts_.fill(0);
  }

 private:
  static constexpr size_t kRowsMax = 64;
  static_assert(kRowsMax * kRowsMax == kTileMax);

  struct Entry {
    uint32_t row;     // In the band.
    uint32_t offset;  // In the piece.
    float value;
  };
  std::vector<Entry> entries_;
  std::array<size_t, kRowsMax> row_counts_{};
};

// One thread's decoder. All that can be wrong is kMalformed.
class GroupDecoder : public PieceDecoder {
 public:
  GroupDecoder(const BodyFormat& format, std::span<const TileGroup> groups)
      : format_(format), groups_(groups) {}

  Verdict judge(size_t piece, ByteView bytes, uint64_t size) override {
    return read(piece, bytes, size, [](const Tile&, const TileRun&, bool) {});
  }

  Verdict decode(size_t piece, ByteView bytes, uint64_t size, PieceValues& out) override {
    out.offset.clear();
    out.value.clear();
    const uint64_t first_value = format_.pieces()[piece].first;
    return read(piece, bytes, size, [&](const Tile& tile, const TileRun& run, bool band_ends) {
      const Tensor& tensor = format_.layout().tensors()[run.tensor];
      const uint64_t first =
          tensor.offset + uint64_t{tile.row} * tensor.cols + tile.col - first_value;
      band_.add(tile_, tile, static_cast<uint32_t>(first), tensor.cols);
      if (band_ends) band_.flush(out);
    });
  }

 private:
  // Calls visit(tile, run, whether it is the last of its band) when the tile is in tile_.
  template <typename Visit>
  Verdict read(size_t piece, ByteView bytes, uint64_t size, Visit visit) {
    const Layout& layout = format_.layout();
    const TileGroup& group = groups_[piece];
    if (!reader_.open(bytes, 0, size, group, layout)) return Verdict::kMalformed;
    for (const TileRun& run : group.runs) {
      const uint32_t band = layout.tiles_per_band(run.tensor);
      TileWalk tiles(layout, run);
      for (uint64_t i = 0; i < run.count; ++i) {
        const Tile& tile = tiles.next();
        if (!reader_.next(tile, tile_)) {
          band_ = {};
          return Verdict::kMalformed;
        }
        visit(tile, run, (i + 1) % band == 0);
      }
    }
    if (!reader_.at_end()) return Verdict::kMalformed;
    sums_.clear();
    for (const auto& sum : reader_.sums()) sums_.push_back({sum.count, sum.squares});
    return Verdict::kAccepted;
  }

  const BodyFormat& format_;
  std::span<const TileGroup> groups_;
  GroupReader reader_;
  ReadTile tile_;
  Band band_;
};

// --- format ---

std::vector<Piece> pieces_of(std::span<const TileGroup> groups, const Layout& layout) {
  std::vector<Piece> pieces;
  pieces.reserve(groups.size());
  for (const TileGroup& group : groups) {
    const uint64_t size_min = (group.count * kTileBitsMin + 7) / 8;
    pieces.push_back(piece_of(group, layout, size_min, group_bits_max(group, layout) / 8));
  }
  return pieces;
}

class GroupFormat : public BodyFormat {
 public:
  GroupFormat(const Layout& layout, std::vector<TileGroup> groups)
      : BodyFormat(layout, pieces_of(groups, layout), true), groups_(std::move(groups)) {}

  std::unique_ptr<PieceEncoder> encoder() const override {
    return std::make_unique<GroupEncoder>(*this, groups_);
  }
  std::unique_ptr<PieceDecoder> decoder() const override {
    return std::make_unique<GroupDecoder>(*this, groups_);
  }
  // Each tile of G is summed in a core's own memory.
  std::unique_ptr<PieceSum> sum(bool by_senders) const override {
    return make_tile_sums(layout(), groups_, by_senders);
  }

 private:
  std::vector<TileGroup> groups_;
};

}  // namespace

std::unique_ptr<const BodyFormat> SparseLoco::format(const Layout& layout) const {
  return std::make_unique<GroupFormat>(layout, tile_groups(layout));
}

}  // namespace compress
