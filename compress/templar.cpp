#include "compress/templar.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "common/check.h"
#include "compress/band.h"
#include "compress/pack12.h"
#include "compress/topk.h"

namespace compress {
namespace {

constexpr float kMagnitudeMax = 0x1p126f;
constexpr uint64_t kParametersSize = 6 * sizeof(float);

// Of each tensor.
std::vector<uint64_t> kept_counts(const Layout& layout) {
  std::vector<uint64_t> counts(layout.tensors().size());
  for (size_t t = 0; t < counts.size(); ++t) {
    const uint64_t tiles = layout.first_tile(t + 1) - layout.first_tile(t);
    for (uint64_t i = 0; i < tiles; ++i) counts[t] += layout.tile(t, i).keep;
  }
  return counts;
}

uint64_t tensor_size(uint64_t kept) { return packed12_size(kept) + kept + kParametersSize; }

// The inverse.
uint64_t kept_of(uint64_t size) { return (size - kParametersSize) * 2 / 5; }

// --- encode ---

void encode_tensor(std::span<const float> values, const Layout& layout, size_t t, Bytes& body) {
  std::vector<uint16_t> offsets;
  std::vector<float> kept;
  std::vector<float> tile_values;
  const uint64_t tiles = layout.first_tile(t + 1) - layout.first_tile(t);
  for (uint64_t i = 0; i < tiles; ++i) {
    const Tile tile = layout.tile(t, i);
    gather_tile(values, layout.tensors()[t].cols, tile, tile_values);
    offsets.resize(offsets.size() + tile.keep);
    const auto of_tile = std::span(offsets).last(tile.keep);
    top_k(tile_values, of_tile);
    for (const uint16_t at : of_tile) {
      kept.push_back(std::clamp(tile_values[at], -kMagnitudeMax, kMagnitudeMax));
    }
  }
  std::vector<uint8_t> codes(kept.size());
  const TemplarLevels levels = templar_quantise(kept, codes);
  common::ByteWriter parameters;
  parameters.number(levels.mean).number(levels.scale);
  for (const float level : levels.level) parameters.number(level);
  pack12(offsets, body);
  body.insert(body.end(), codes.begin(), codes.end());
  body.insert(body.end(), parameters.bytes().begin(), parameters.bytes().end());
}

// --- decode ---

using Counts = std::array<uint64_t, kTemplarLevels>;

// How often each code occurs; kMalformed for a number that is none.
Judged<Counts> count(ByteView codes) {
  Counts counts{};
  for (const uint8_t code : codes) {
    if (code >= kTemplarLevels) return tl::unexpected(Verdict::kMalformed);
    ++counts[code];
  }
  return counts;
}

// Whether these levels can be the means of so many values each.
Verdict judge(const TemplarLevels& levels, const Counts& counts) {
  if (!std::isfinite(levels.mean) || !std::isfinite(levels.scale)) return Verdict::kNonFinite;
  if (levels.scale <= 0) return Verdict::kMalformed;
  for (uint8_t code = 0; code < kTemplarLevels; ++code) {
    const float level = levels.level[code];
    if (!std::isfinite(level) || !std::isfinite(levels.value(code))) return Verdict::kNonFinite;
    if (counts[code] > 0 && levels.code(level) != code) return Verdict::kMalformed;
    if (counts[code] == 0 && std::bit_cast<uint32_t>(level) != 0) return Verdict::kMalformed;
  }
  return Verdict::kAccepted;
}

Judged<TemplarLevels> read_levels(ByteView bytes, const Counts& counts) {
  common::ByteReader in(bytes);
  TemplarLevels levels;
  levels.mean = in.number<float>();
  levels.scale = in.number<float>();
  for (float& level : levels.level) level = in.number<float>();
  const Verdict verdict = judge(levels, counts);
  if (verdict != Verdict::kAccepted) return tl::unexpected(verdict);
  return levels;
}

// By ascending code: one order, so one result.
double squares_of(const TemplarLevels& levels, const Counts& counts) {
  double squares = 0;
  for (uint8_t code = 0; code < kTemplarLevels; ++code) {
    const double value = levels.value(code);
    squares += static_cast<double>(counts[code]) * (value * value);
  }
  return squares;
}

// Appends the indices and values of tensor `t`. False if offsets do not ascend within a tile.
bool place(const Layout& layout, size_t t, std::span<const uint16_t> offsets, ByteView codes,
           const TemplarLevels& levels, PieceValues& out) {
  const uint64_t tile_count = layout.first_tile(t + 1) - layout.first_tile(t);
  const uint32_t tensor_cols = layout.tensors()[t].cols;
  std::vector<Tile> tiles(layout.tiles_per_band(t));
  std::vector<uint32_t> counts(tiles.size());
  size_t first = 0;
  for (uint64_t band = 0; band < tile_count; band += tiles.size()) {
    size_t end = first;
    for (size_t i = 0; i < tiles.size(); ++i) {
      tiles[i] = layout.tile(t, band + i);
      counts[i] = tiles[i].keep;
      const auto of_tile = offsets.subspan(end, tiles[i].keep);
      if (std::adjacent_find(of_tile.begin(), of_tile.end(), std::greater_equal<>()) !=
              of_tile.end() ||
          of_tile.back() >= tiles[i].size()) {
        return false;
      }
      end += tiles[i].keep;
    }
    in_flat_order(tiles, counts, offsets.subspan(first, end - first), tensor_cols,
                  [&](size_t i, uint32_t index) {
                    out.offset.push_back(index);
                    out.value.push_back(levels.value(codes[first + i]));
                  });
    first = end;
  }
  return true;
}

class TensorEncoder : public PieceEncoder {
 public:
  explicit TensorEncoder(const BodyFormat& format)
      : PieceEncoder(format.decoder()), format_(format) {}

  void encode(size_t piece, std::span<const float> values, Bytes& out) override {
    CHECK(values.size() == format_.pieces()[piece].count);
    encode_tensor(values, format_.layout(), piece, out);
  }

 private:
  const BodyFormat& format_;
};

class TensorDecoder : public PieceDecoder {
 public:
  explicit TensorDecoder(const BodyFormat& format) : format_(format) {}

  Verdict judge(size_t piece, ByteView bytes, uint64_t size) override {
    return decode(piece, bytes, size, judged_);
  }

  Verdict decode(size_t piece, ByteView bytes, uint64_t size, PieceValues& out) override {
    const uint64_t kept = kept_of(size);
    const uint64_t packed_size = packed12_size(kept);
    const ByteView codes = bytes.subspan(packed_size, kept);
    const auto counts = count(codes);
    if (!counts) return counts.error();
    const auto levels = read_levels(bytes.subspan(packed_size + kept, kParametersSize), *counts);
    if (!levels) return levels.error();

    offsets_.resize(kept);
    out.offset.clear();
    out.value.clear();
    if (!unpack12(bytes.first(packed_size), offsets_) ||
        !place(format_.layout(), piece, offsets_, codes, *levels, out)) {
      return Verdict::kMalformed;
    }
    sums_.assign(1, {kept, squares_of(*levels, *counts)});
    return Verdict::kAccepted;
  }

 private:
  const BodyFormat& format_;
  std::vector<uint16_t> offsets_;
  PieceValues judged_;  // When nobody asked for them.
};

std::vector<Piece> pieces_of(const Layout& layout) {
  std::vector<Piece> pieces;
  const std::vector<uint64_t> kept = kept_counts(layout);
  for (size_t t = 0; t < kept.size(); ++t) {
    const Tensor& tensor = layout.tensors()[t];
    const uint64_t size = tensor_size(kept[t]);
    CHECK_MSG(size <= std::numeric_limits<uint32_t>::max(), tensor.name);
    Piece& piece = pieces.emplace_back();
    piece.first = tensor.offset;
    piece.count = static_cast<uint32_t>(tensor.size());
    piece.size_min = piece.size_max = static_cast<uint32_t>(size);
    piece.runs = {{t, 0, piece.count}};
  }
  return pieces;
}

class TensorFormat : public BodyFormat {
 public:
  explicit TensorFormat(const Layout& layout) : BodyFormat(layout, pieces_of(layout), false) {}

  std::unique_ptr<PieceEncoder> encoder() const override {
    return std::make_unique<TensorEncoder>(*this);
  }
  std::unique_ptr<PieceDecoder> decoder() const override {
    return std::make_unique<TensorDecoder>(*this);
  }
};

}  // namespace

uint8_t TemplarLevels::code(float centred) const {
  const float place = std::nearbyint(centred / scale + 2.0f);  // Half to even, the default mode.
  return static_cast<uint8_t>(std::clamp(place, 0.0f, 3.0f));
}

TemplarLevels templar_quantise(std::span<const float> values, std::span<uint8_t> codes) {
  CHECK(codes.size() == values.size());
  const auto n = static_cast<double>(values.size());
  TemplarLevels levels;
  if (values.empty()) return levels;
  double sum = 0;
  for (const float value : values) sum += value;
  levels.mean = static_cast<float>(sum / n);

  double squares = 0;
  for (const float value : values) {
    const float centred = value - levels.mean;
    squares += double{centred} * double{centred};
  }
  if (values.size() > 1) {
    const auto norm = static_cast<float>(std::sqrt(squares));
    const float deviation = norm / static_cast<float>(std::sqrt(n - 1));
    const float scale = 6.0f * deviation / 4.0f;
    if (std::isfinite(scale) && scale > 0) levels.scale = scale;
  }

  std::array<double, kTemplarLevels> sums{};
  Counts counts{};
  for (size_t i = 0; i < values.size(); ++i) {
    const float centred = values[i] - levels.mean;
    codes[i] = levels.code(centred);
    sums[codes[i]] += centred;
    ++counts[codes[i]];
  }
  for (size_t j = 0; j < kTemplarLevels; ++j) {
    if (counts[j] == 0) continue;
    levels.level[j] = static_cast<float>(sums[j] / static_cast<double>(counts[j]));
  }
  return levels;
}

std::unique_ptr<const BodyFormat> Templar::format(const Layout& layout) const {
  return std::make_unique<TensorFormat>(layout);
}

}  // namespace compress
