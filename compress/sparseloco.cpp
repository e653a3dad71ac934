#include "compress/sparseloco.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <vector>

#include "common/check.h"
#include "compress/body_table.h"
#include "compress/parallel.h"
#include "compress/quantise.h"
#include "compress/simd/values.h"
#include "compress/tile_code.h"
#include "compress/tile_groups.h"

namespace compress {
namespace {

// --- encode ---

// What is encoded: e as it is, or decay * e + delta, which is put in e's place less what is sent.
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
class GroupEncoder {
 public:
  GroupEncoder(const Source& source, const Layout& layout) : source_(source), layout_(layout) {}

  Bytes encode(const TileGroup& group) {
    writer_.begin(group, layout_);
    for (const TileRun& run : group.runs) encode_run(run);
    Bytes bytes;
    writer_.end(bytes);
    return bytes;
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

  void encode_run(const TileRun& run) {
    const Tensor& tensor = layout_.tensors()[run.tensor];
    const uint32_t band = layout_.tiles_per_band(run.tensor);
    TileWalk tiles(layout_, run);
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
    uint64_t first = tensor.offset + uint64_t{leftmost.row} * tensor.cols + leftmost.col;
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

  const Source source_;
  const Layout& layout_;
  std::array<simd::TileValues, kStripTiles> values_;
  Quantiser quantiser_;
  GroupWriter writer_;
};

Bytes encode_all(const Source& source, const Layout& layout, uint32_t threads) {
  const std::vector<TileGroup> groups = tile_groups(layout);
  std::vector<Bytes> encoded(groups.size());
  in_parallel(groups.size(), threads, [&](Pieces& pieces) {
    const auto encoder = std::make_unique<GroupEncoder>(source, layout);
    for (size_t g = 0; pieces.take(g);) encoded[g] = encoder->encode(groups[g]);
  });
  return join_groups(encoded);
}

// --- decode ---

// Where the values of one group go in a tensor.
struct Place {
  uint32_t* index;
  float* value;
};

// Brings the values of tiles side by side into the order of the flat array.
class Band {
 public:
  void add(const ReadTile& read, const Tile& tile, uint32_t tensor_cols) {
    const Rows rows(tile.cols);
    const TileValue value(read.levels);
    const uint32_t first = tile.row * tensor_cols + tile.col;
    uint32_t at = ~0u;
    size_t next = entries_.size();
    entries_.resize(next + read.levels.count);
    for (uint32_t i = 0; i < read.levels.count; ++i) {
      at += static_cast<uint32_t>(read.step[i]);
      const uint32_t row = rows.row(at);
      entries_[next++] = {row, first + row * tensor_cols + rows.col(at),
                          value.of(read.high, read.negative, i)};
      ++row_counts_[row];
    }
  }

  // A stable counting sort by row: within a row, tiles came from left to right and each in its
  // order.
  void flush(Place& out) {
    size_t next = 0;
    std::array<size_t, kRowsMax> place;
    for (size_t r = 0; r < kRowsMax; ++r) {
      place[r] = next;
      next += row_counts_[r];
    }
    for (const Entry& entry : entries_) {
      const size_t at = place[entry.row]++;
      out.index[at] = entry.index;
      out.value[at] = entry.value;
    }
    out.index += next;
    out.value += next;
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

// One thread's decoder.
class GroupDecoder {
 public:
  GroupDecoder(ByteView body, const Layout& layout) : body_(body), layout_(layout) {}

  // What each run holds; nothing for bytes that no encoder writes.
  std::span<const GroupReader::RunSum> open(const TileGroup& group, const ByteRange& range) {
    if (!reader_.open(body_, range.first, range.size, group, layout_)) return {};
    return reader_.sums();
  }

  // The values of an open group to their places, one of each run. False as above.
  bool decode(const TileGroup& group, std::span<Place> places) {
    for (size_t r = 0; r < group.runs.size(); ++r) {
      const TileRun& run = group.runs[r];
      const uint32_t tensor_cols = layout_.tensors()[run.tensor].cols;
      const uint32_t band = layout_.tiles_per_band(run.tensor);
      TileWalk tiles(layout_, run);
      for (uint64_t i = 0; i < run.count; ++i) {
        const Tile& tile = tiles.next();
        if (!reader_.next(tile, tile_)) return false;
        band_.add(tile_, tile, tensor_cols);
        if ((i + 1) % band == 0) band_.flush(places[r]);
      }
    }
    return reader_.at_end();
  }

 private:
  ByteView body_;
  const Layout& layout_;
  GroupReader reader_;
  ReadTile tile_;
  Band band_;
};

// Makes room for all values of an update, and finds its norms and the place of every run.
// Sums of squares go from tile to tile of a run, then from run to run of a tensor: exact terms in
// one order, each addition rounded.
std::vector<std::vector<Place>> make_room(std::span<const TileGroup> groups,
                                          const std::vector<std::vector<GroupReader::RunSum>>& sums,
                                          Update& update) {
  std::vector<double> squares(update.tensors.size());
  std::vector<uint64_t> counts(update.tensors.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    for (size_t r = 0; r < sums[g].size(); ++r) {
      squares[groups[g].runs[r].tensor] += sums[g][r].squares;
      counts[groups[g].runs[r].tensor] += sums[g][r].count;
    }
  }
  for (size_t t = 0; t < counts.size(); ++t) {
    update.tensors[t].index.resize(counts[t]);
    update.tensors[t].value.resize(counts[t]);
    update.tensors[t].norm = std::sqrt(squares[t]);
  }
  std::fill(counts.begin(), counts.end(), 0);
  std::vector<std::vector<Place>> places(groups.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    for (size_t r = 0; r < sums[g].size(); ++r) {
      const size_t t = groups[g].runs[r].tensor;
      SparseTensor& tensor = update.tensors[t];
      places[g].push_back({tensor.index.data() + counts[t], tensor.value.data() + counts[t]});
      counts[t] += sums[g][r].count;
    }
  }
  return places;
}

}  // namespace

Bytes SparseLoco::encode(std::span<const float> values, const Layout& layout) const {
  CHECK(values.size() == layout.parameter_count());
  return encode_all({.values = values.data()}, layout, threads_);
}

Bytes SparseLoco::encode_feedback(std::span<float> e, float decay, std::span<const float> delta,
                                  const Layout& layout) const {
  CHECK(e.size() == layout.parameter_count() && delta.size() == e.size());
  return encode_all({.e = e.data(), .delta = delta.data(), .decay = decay}, layout, threads_);
}

Judged<Update> SparseLoco::decode(ByteView body, const Layout& layout) const {
  const std::vector<TileGroup> groups = tile_groups(layout);
  if (body.size() > compress::body_size_max(groups, layout)) {
    return tl::unexpected(Verdict::kOversized);
  }
  const auto ranges = find_groups(body, groups, layout);
  if (!ranges) return tl::unexpected(ranges.error());

  // First what takes no room: how many values there are, and whether there can be so many.
  std::atomic<bool> well_formed = true;
  std::vector<std::vector<GroupReader::RunSum>> sums(groups.size());
  in_parallel(groups.size(), threads_, [&](Pieces& pieces) {
    const auto decoder = std::make_unique<GroupDecoder>(body, layout);
    for (size_t g = 0; pieces.take(g) && well_formed;) {
      const auto found = decoder->open(groups[g], (*ranges)[g]);
      sums[g].assign(found.begin(), found.end());
      if (found.empty()) well_formed = false;
    }
  });
  if (!well_formed) return tl::unexpected(Verdict::kMalformed);
  Update update;
  update.tensors.resize(layout.tensors().size());
  auto places = make_room(groups, sums, update);
  in_parallel(groups.size(), threads_, [&](Pieces& pieces) {
    const auto decoder = std::make_unique<GroupDecoder>(body, layout);
    for (size_t g = 0; pieces.take(g) && well_formed;) {
      decoder->open(groups[g], (*ranges)[g]);
      if (!decoder->decode(groups[g], places[g])) well_formed = false;
    }
  });
  if (!well_formed) return tl::unexpected(Verdict::kMalformed);
  if (update.value_count() == 0) return tl::unexpected(Verdict::kEmpty);
  return update;
}

uint64_t SparseLoco::body_size_max(const Layout& layout) const {
  return compress::body_size_max(tile_groups(layout), layout);
}

}  // namespace compress
