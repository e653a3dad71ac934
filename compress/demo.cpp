#include "compress/demo.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "common/check.h"
#include "compress/band.h"
#include "compress/bf16.h"
#include "compress/bit_stream.h"
#include "compress/dct.h"
#include "compress/tile_groups.h"
#include "compress/topk.h"

namespace compress {
namespace {

constexpr uint32_t kOffsetBits = 12;
constexpr uint32_t kSignBits = 1;
// By Parseval no coefficient of a tile is above 64 times its largest value.
constexpr float kMagnitudeMax = 0x1p100f;
constexpr float kCoefficientMax = 0x1p107f;

// --- The bits of a tile ---

// The largest of `coefficients`, those that bf16 makes zero left out.
void choose(std::span<const float> coefficients, uint32_t keep, std::vector<uint16_t>& offsets) {
  offsets.resize(keep);
  top_k(coefficients, offsets);
  std::erase_if(offsets, [&](uint16_t at) { return to_bf16(coefficients[at]) == 0; });
}

void write_tile(BitWriter& out, std::span<const float> coefficients, uint32_t keep,
                std::span<const uint16_t> offsets, uint32_t value_bits) {
  const auto count = static_cast<uint32_t>(offsets.size());
  out.put(count == keep, 1);
  if (count < keep) out.put(count, kOffsetBits);
  for (const uint16_t at : offsets) out.put(at, kOffsetBits);
  for (const uint16_t at : offsets) {
    const uint16_t bits = to_bf16(coefficients[at]);
    out.put(value_bits == kSignBits ? bits >> 15 : bits, value_bits);
  }
}

struct CodedCoefficients {
  std::vector<uint16_t> offset;
  std::vector<float> value;
};

float coefficient(uint64_t bits, uint32_t value_bits) {
  if (value_bits == kSignBits) return bits == 0 ? 1.0f : -1.0f;
  return from_bf16(static_cast<uint16_t>(bits));
}

Verdict judge(float value) {
  if (!std::isfinite(value)) return Verdict::kNonFinite;
  if (value == 0 || std::fabs(value) > kCoefficientMax) return Verdict::kMalformed;
  return Verdict::kAccepted;
}

// Appends one tile's.
Verdict read_tile(BitCursor& in, const Tile& tile, uint32_t value_bits, CodedCoefficients& out) {
  uint64_t count = tile.keep;
  if (in.take(1) == 0) {
    count = in.take(kOffsetBits);
    if (count >= tile.keep) return Verdict::kMalformed;
  }
  const uint64_t tile_bits = count * (kOffsetBits + value_bits);
  if (!in.ok() || tile_bits > in.end - in.at) return Verdict::kMalformed;
  uint64_t least = 0;  // Of the next offset.
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = in.take(kOffsetBits);
    if (at < least || at >= tile.size()) return Verdict::kMalformed;
    out.offset.push_back(static_cast<uint16_t>(at));
    least = at + 1;
  }
  for (uint64_t i = 0; i < count; ++i) {
    const float value = coefficient(in.take(value_bits), value_bits);
    const Verdict verdict = judge(value);
    if (verdict != Verdict::kAccepted) return verdict;
    out.value.push_back(value);
  }
  return Verdict::kAccepted;
}

// --- Groups ---

Piece piece_of(const TileGroup& group, const Layout& layout, uint32_t value_bits) {
  uint64_t most = group.count;  // In bits: one for each tile, and what it keeps.
  for (const TileRun& run : group.runs) {
    TileWalk tiles(layout, run);
    for (uint64_t i = 0; i < run.count; ++i) {
      most += uint64_t{tiles.next().keep} * (kOffsetBits + value_bits);
    }
  }
  const uint64_t least = group.count * (1 + kOffsetBits);
  return compress::piece_of(group, layout, (least + 7) / 8, (most + 7) / 8);
}

std::vector<Piece> pieces_of(std::span<const TileGroup> groups, const Layout& layout,
                             uint32_t value_bits) {
  std::vector<Piece> pieces;
  pieces.reserve(groups.size());
  for (const TileGroup& group : groups) pieces.push_back(piece_of(group, layout, value_bits));
  return pieces;
}

// Calls visit(tile, tensor_cols, run) for every tile of a piece. The tile's place is that in the
// run's values, which begin with a whole band.
template <typename Visit>
void each_tile_of(const TileGroup& group, const Piece& piece, const Layout& layout, Visit visit) {
  for (size_t r = 0; r < group.runs.size(); ++r) {
    const TileRun& run = group.runs[r];
    const Tile origin = layout.tile(run.tensor, run.first);
    TileWalk tiles(layout, run);
    for (uint64_t i = 0; i < run.count; ++i) {
      Tile tile = tiles.next();
      tile.row -= origin.row;
      tile.col -= origin.col;
      visit(tile, layout.tensors()[run.tensor].cols, piece.runs[r]);
    }
  }
}

// Whole bands, each brought into the order of the flat array.
Verdict read_run(BitCursor& in, const TileRun& run, const Layout& layout, uint32_t value_bits,
                 SparseTensor& out) {
  const uint32_t tensor_cols = layout.tensors()[run.tensor].cols;
  std::vector<Tile> tiles(layout.tiles_per_band(run.tensor));
  std::vector<uint32_t> counts(tiles.size());
  CodedCoefficients coded;
  for (uint64_t band = 0; band < run.count; band += tiles.size()) {
    coded.offset.clear();
    coded.value.clear();
    for (size_t i = 0; i < tiles.size(); ++i) {
      tiles[i] = layout.tile(run.tensor, run.first + band + i);
      const size_t before = coded.offset.size();
      const Verdict verdict = read_tile(in, tiles[i], value_bits, coded);
      if (verdict != Verdict::kAccepted) return verdict;
      counts[i] = static_cast<uint32_t>(coded.offset.size() - before);
    }
    in_flat_order(tiles, counts, coded.offset, tensor_cols, [&](size_t i, uint32_t index) {
      out.index.push_back(index);
      out.value.push_back(coded.value[i]);
    });
  }
  return Verdict::kAccepted;
}

// So that more can be read than is used.
BitCursor cursor_of(ByteView bytes, Bytes& padded) {
  padded.assign(bytes.begin(), bytes.end());
  padded.resize(bytes.size() + BitCursor::kSlack);
  return {.bytes = padded.data(), .at = 0, .end = 8 * uint64_t{bytes.size()}};
}

Verdict end_group(BitCursor& in) {
  return in.pad() && in.at == in.end ? Verdict::kAccepted : Verdict::kMalformed;
}

// `padded` is scratch.
Verdict read_group(ByteView bytes, const TileGroup& group, const Layout& layout,
                   uint32_t value_bits, Bytes& padded, Update& update) {
  BitCursor in = cursor_of(bytes, padded);
  for (const TileRun& run : group.runs) {
    const Verdict verdict = read_run(in, run, layout, value_bits, update.tensors[run.tensor]);
    if (verdict != Verdict::kAccepted) return verdict;
  }
  return end_group(in);
}

// --- Either side of the transform ---

// Each square is exact in fp64 for bf16, rounded for fp32; added in order.
double squares_of(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * double{value};
  return squares;
}

// One thread's encoder.
class GroupEncoder : public PieceEncoder {
 public:
  GroupEncoder(const BodyFormat& format, std::span<const TileGroup> groups, uint32_t value_bits)
      : PieceEncoder(format.decoder()), format_(format), groups_(groups), value_bits_(value_bits) {}

  void encode(size_t piece, std::span<const float> values, Bytes& out) override {
    write(piece, values, out, [this](const Tile& tile, uint32_t, const PieceRun&) {
      transform(tile);
      choose(values_, tile.keep, offsets_);
    });
  }
  // What leaves e are the coefficients before they are rounded, or made signs.
  void feedback(size_t piece, std::span<float> e, float decay, std::span<const float> delta,
                Bytes& out) override {
    CHECK(e.size() == delta.size());
    for (size_t i = 0; i < e.size(); ++i) e[i] = decay * e[i] + delta[i];
    write(piece, e, out, [&](const Tile& tile, uint32_t cols, const PieceRun& run) {
      transform(tile);
      choose(values_, tile.keep, offsets_);
      subtract(tile, cols, e.subspan(run.first, run.count));
    });
  }
  // values: coefficients in the place of parameters.
  void encode_coefficients(size_t piece, std::span<const float> values, Bytes& out) {
    write(piece, values, out, [this](const Tile& tile, uint32_t, const PieceRun&) {
      choose(values_, tile.keep, offsets_);
    });
  }

 private:
  // Writes every tile; prepare(tile, tensor_cols, run) makes what is sent of it from values_.
  template <typename Prepare>
  void write(size_t piece, std::span<const float> values, Bytes& out, const Prepare& prepare) {
    const Piece& place = format_.pieces()[piece];
    CHECK(values.size() == place.count);
    room_.resize(place.size_max + BitWriter::kSlack);
    BitWriter bits(room_.data());
    each_tile_of(groups_[piece], place, format_.layout(),
                 [&](const Tile& tile, uint32_t cols, const PieceRun& run) {
                   gather_tile(values.subspan(run.first, run.count), cols, tile, values_);
                   prepare(tile, cols, run);
                   write_tile(bits, values_, tile.keep, offsets_, value_bits_);
                 });
    bits.pad();
    out.insert(out.end(), bits.bytes().begin(), bits.bytes().end());
  }

  void transform(const Tile& tile) {
    for (float& value : values_) {
      CHECK_MSG(std::isfinite(value), "NaN or infinity in our own update");
      value = std::clamp(value, -kMagnitudeMax, kMagnitudeMax);
    }
    dct(values_, tile.rows, tile.cols);
  }

  // Takes the chosen coefficients, as they are, out of the values of a run.
  void subtract(const Tile& tile, uint32_t cols, std::span<float> from) {
    sent_.assign(values_.size(), 0.0f);
    for (const uint16_t at : offsets_) sent_[at] = values_[at];
    inverse_dct(sent_, tile.rows, tile.cols);
    for (uint32_t r = 0; r < tile.rows; ++r) {
      float* const row = from.data() + uint64_t{tile.row + r} * cols + tile.col;
      for (uint32_t c = 0; c < tile.cols; ++c) row[c] -= sent_[r * tile.cols + c];
    }
  }

  const BodyFormat& format_;
  std::span<const TileGroup> groups_;
  uint32_t value_bits_;
  Bytes room_;
  std::vector<float> values_;  // Of a tile: as they were, or their coefficients.
  std::vector<float> sent_;
  std::vector<uint16_t> offsets_;  // Of what is sent.
};

// One thread's decoder. Every parameter of a piece is sent, for so it is after the transform.
class GroupDecoder : public PieceDecoder {
 public:
  GroupDecoder(const BodyFormat& format, std::span<const TileGroup> groups, uint32_t value_bits)
      : format_(format), groups_(groups), value_bits_(value_bits) {}

  Verdict judge(size_t piece, ByteView bytes, uint64_t size) override {
    return read(piece, bytes.first(size), judged_);
  }
  Verdict decode(size_t piece, ByteView bytes, uint64_t size, PieceValues& out) override {
    out.offset.resize(format_.pieces()[piece].count);
    std::iota(out.offset.begin(), out.offset.end(), 0u);
    return read(piece, bytes.first(size), out.value);
  }

 private:
  Verdict read(size_t piece, ByteView bytes, std::vector<float>& out) {
    const Piece& place = format_.pieces()[piece];
    out.resize(place.count);
    BitCursor in = cursor_of(bytes, padded_);
    Verdict verdict = Verdict::kAccepted;
    each_tile_of(groups_[piece], place, format_.layout(),
                 [&](const Tile& tile, uint32_t cols, const PieceRun& run) {
                   if (verdict != Verdict::kAccepted) return;
                   verdict = read_values(in, tile);
                   scatter_tile(values_, cols, tile, std::span(out).subspan(run.first, run.count));
                 });
    if (verdict == Verdict::kAccepted) verdict = end_group(in);
    if (verdict != Verdict::kAccepted) return verdict;
    sums_.clear();
    for (const PieceRun& run : place.runs) {
      sums_.push_back({run.count, squares_of(std::span(out).subspan(run.first, run.count))});
    }
    return verdict;
  }

  Verdict read_values(BitCursor& in, const Tile& tile) {
    coded_.offset.clear();
    coded_.value.clear();
    values_.assign(tile.size(), 0.0f);
    const Verdict verdict = read_tile(in, tile, value_bits_, coded_);
    if (verdict != Verdict::kAccepted) return verdict;
    for (size_t i = 0; i < coded_.offset.size(); ++i) values_[coded_.offset[i]] = coded_.value[i];
    inverse_dct(values_, tile.rows, tile.cols);
    return verdict;
  }

  const BodyFormat& format_;
  std::span<const TileGroup> groups_;
  uint32_t value_bits_;
  Bytes padded_;
  CodedCoefficients coded_;
  std::vector<float> values_;  // Of a tile.
  std::vector<float> judged_;  // Of a piece whose values nobody asked for.
};

class GroupFormat : public BodyFormat {
 public:
  GroupFormat(const Layout& layout, std::vector<TileGroup> groups, uint32_t value_bits)
      : BodyFormat(layout, pieces_of(groups, layout, value_bits), true),
        groups_(std::move(groups)),
        value_bits_(value_bits) {}

  std::unique_ptr<PieceEncoder> encoder() const override {
    return std::make_unique<GroupEncoder>(*this, groups_, value_bits_);
  }
  std::unique_ptr<PieceDecoder> decoder() const override {
    return std::make_unique<GroupDecoder>(*this, groups_, value_bits_);
  }

  std::span<const TileGroup> groups() const { return groups_; }

 private:
  std::vector<TileGroup> groups_;
  uint32_t value_bits_;
};

// Calls visit(tile, values) for every tile, and writes back what it made of the values.
template <typename Visit>
void each_tile(std::span<float> flat, const Layout& layout, Visit visit) {
  std::vector<float> values;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const Tensor& tensor = layout.tensors()[t];
    const auto of_tensor = flat.subspan(tensor.offset, tensor.size());
    const uint64_t count = layout.first_tile(t + 1) - layout.first_tile(t);
    for (uint64_t i = 0; i < count; ++i) {
      const Tile tile = layout.tile(t, i);
      gather_tile(of_tensor, tensor.cols, tile, values);
      visit(tile, values);
      scatter_tile(values, tensor.cols, tile, of_tensor);
    }
  }
}

}  // namespace

void to_coefficients(std::span<float> values, const Layout& layout) {
  each_tile(values, layout,
            [](const Tile& tile, std::span<float> of) { dct(of, tile.rows, tile.cols); });
}

void to_parameters(std::span<float> coefficients, const Layout& layout) {
  each_tile(coefficients, layout,
            [](const Tile& tile, std::span<float> of) { inverse_dct(of, tile.rows, tile.cols); });
}

void take_signs(std::span<float> values) {
  for (float& value : values) value = static_cast<float>((value > 0) - (value < 0));
}

std::unique_ptr<const BodyFormat> Demo::format(const Layout& layout) const {
  return std::make_unique<GroupFormat>(layout, tile_groups(layout), value_bits());
}

Bytes Demo::encode_coefficients(std::span<const float> coefficients, const Layout& layout) const {
  CHECK(coefficients.size() == layout.parameter_count());
  const GroupFormat format(layout, tile_groups(layout), value_bits());
  GroupEncoder encoder(format, format.groups(), value_bits());
  Bytes body;
  std::vector<uint32_t> sizes;
  for (size_t i = 0; i < format.pieces().size(); ++i) {
    const Piece& piece = format.pieces()[i];
    const size_t before = body.size();
    encoder.encode_coefficients(i, coefficients.subspan(piece.first, piece.count), body);
    sizes.push_back(static_cast<uint32_t>(body.size() - before));
  }
  const Bytes table = table_of(format, sizes);
  body.insert(body.end(), table.begin(), table.end());
  return body;
}

Judged<Update> Demo::decode_coefficients(ByteView body, const Layout& layout) const {
  const GroupFormat format(layout, tile_groups(layout), value_bits());
  const auto table = find_pieces(body, format);
  if (!table) return tl::unexpected(table.error());

  Update update;
  update.tensors.resize(layout.tensors().size());
  Bytes padded;
  for (size_t i = 0; i < format.pieces().size(); ++i) {
    const ByteView bytes = body.subspan(table->first(i), table->size(i));
    const Verdict verdict =
        read_group(bytes, format.groups()[i], layout, value_bits(), padded, update);
    if (verdict != Verdict::kAccepted) return tl::unexpected(verdict);
  }
  if (update.value_count() == 0) return tl::unexpected(Verdict::kEmpty);
  for (SparseTensor& tensor : update.tensors) tensor.norm = std::sqrt(squares_of(tensor.value));
  return update;
}

}  // namespace compress
