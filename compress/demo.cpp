#include "compress/demo.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/check.h"
#include "compress/band.h"
#include "compress/bf16.h"
#include "compress/bit_stream.h"
#include "compress/body_table.h"
#include "compress/dct.h"
#include "compress/group_table.h"
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

SizeRange size_range(const TileGroup& group, const Layout& layout, uint32_t value_bits) {
  uint64_t most = group.count;  // In bits: one for each tile, and what it keeps.
  for (const TileRun& run : group.runs) {
    for (uint64_t i = 0; i < run.count; ++i) {
      most += uint64_t{layout.tile(run.tensor, run.first + i).keep} * (kOffsetBits + value_bits);
    }
  }
  return {.least = (group.count * (1 + kOffsetBits) + 7) / 8, .most = (most + 7) / 8};
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

// `padded` is scratch.
Verdict read_group(ByteView bytes, const TileGroup& group, const Layout& layout,
                   uint32_t value_bits, Bytes& padded, Update& update) {
  padded.assign(bytes.begin(), bytes.end());
  padded.resize(bytes.size() + BitCursor::kSlack);
  BitCursor in{.bytes = padded.data(), .at = 0, .end = 8 * uint64_t{bytes.size()}};
  for (const TileRun& run : group.runs) {
    const Verdict verdict = read_run(in, run, layout, value_bits, update.tensors[run.tensor]);
    if (verdict != Verdict::kAccepted) return verdict;
  }
  return in.pad() && in.at == in.end ? Verdict::kAccepted : Verdict::kMalformed;
}

// --- Either side of the transform ---

// Each square is exact in fp64 for bf16, rounded for fp32; added in order.
void set_norm(SparseTensor& tensor) {
  double squares = 0;
  for (const float value : tensor.value) squares += double{value} * double{value};
  tensor.norm = std::sqrt(squares);
}

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

std::vector<float> coefficients_of(std::span<const float> values, const Layout& layout) {
  CHECK(values.size() == layout.parameter_count());
  std::vector<float> flat(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    CHECK_MSG(std::isfinite(values[i]), "NaN or infinity in our own update");
    flat[i] = std::clamp(values[i], -kMagnitudeMax, kMagnitudeMax);
  }
  to_coefficients(flat, layout);
  return flat;
}

// Of `coefficients` (N), every parameter.
Judged<Update> update_of(std::vector<float> coefficients, const Layout& layout) {
  to_parameters(coefficients, layout);
  Update update;
  for (const Tensor& tensor : layout.tensors()) {
    SparseTensor& out = update.tensors.emplace_back();
    const auto values = std::span(coefficients).subspan(tensor.offset, tensor.size());
    out.value.assign(values.begin(), values.end());
    out.index.resize(tensor.size());
    std::iota(out.index.begin(), out.index.end(), 0u);
    set_norm(out);
  }
  if (update.is_zero()) return tl::unexpected(Verdict::kEmpty);
  return update;
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

Bytes Demo::encode(std::span<const float> values, const Layout& layout) const {
  return encode_coefficients(coefficients_of(values, layout), layout);
}

Bytes Demo::encode_coefficients(std::span<const float> coefficients, const Layout& layout) const {
  CHECK(coefficients.size() == layout.parameter_count());
  const std::vector<TileGroup> groups = tile_groups(layout);
  std::vector<Bytes> parts(groups.size());
  Bytes room;
  std::vector<float> values;
  std::vector<uint16_t> offsets;
  for (size_t g = 0; g < groups.size(); ++g) {
    room.resize(size_range(groups[g], layout, value_bits()).most + BitWriter::kSlack);
    BitWriter out(room.data());
    for (const TileRun& run : groups[g].runs) {
      const Tensor& tensor = layout.tensors()[run.tensor];
      const auto of_tensor = coefficients.subspan(tensor.offset, tensor.size());
      for (uint64_t i = 0; i < run.count; ++i) {
        const Tile tile = layout.tile(run.tensor, run.first + i);
        gather_tile(of_tensor, tensor.cols, tile, values);
        choose(values, tile.keep, offsets);
        write_tile(out, values, tile.keep, offsets, value_bits());
      }
    }
    out.pad();
    parts[g].assign(out.bytes().begin(), out.bytes().end());
  }
  return join_groups(parts);
}

Judged<Update> Demo::decode_coefficients(ByteView body, const Layout& layout) const {
  if (body.size() > body_size_max(layout)) return tl::unexpected(Verdict::kOversized);
  const std::vector<TileGroup> groups = tile_groups(layout);
  std::vector<SizeRange> ranges;
  ranges.reserve(groups.size());
  for (const TileGroup& group : groups) ranges.push_back(size_range(group, layout, value_bits()));
  const auto parts = split_groups(body, ranges);
  if (!parts) return tl::unexpected(parts.error());

  Update update;
  update.tensors.resize(layout.tensors().size());
  Bytes padded;
  for (size_t g = 0; g < groups.size(); ++g) {
    const Verdict verdict =
        read_group((*parts)[g], groups[g], layout, value_bits(), padded, update);
    if (verdict != Verdict::kAccepted) return tl::unexpected(verdict);
  }
  if (update.value_count() == 0) return tl::unexpected(Verdict::kEmpty);
  for (SparseTensor& tensor : update.tensors) set_norm(tensor);
  return update;
}

Judged<Update> Demo::decode(ByteView body, const Layout& layout) const {
  const auto coded = decode_coefficients(body, layout);
  if (!coded) return tl::unexpected(coded.error());
  std::vector<float> flat(layout.parameter_count(), 0.0f);
  add_to(flat, *coded, layout, std::vector<float>(coded->tensors.size(), 1.0f));
  return update_of(std::move(flat), layout);
}

Bytes Demo::encode_feedback(std::span<float> momentum, float decay, std::span<const float> delta,
                            const Layout& layout) const {
  CHECK(momentum.size() == delta.size());
  for (size_t i = 0; i < delta.size(); ++i) momentum[i] = decay * momentum[i] + delta[i];
  std::vector<float> flat = coefficients_of(momentum, layout);
  Bytes body = encode_coefficients(flat, layout);
  std::vector<uint16_t> offsets;
  std::vector<float> sent;
  each_tile(flat, layout, [&](const Tile& tile, std::span<float> of) {
    choose(of, tile.keep, offsets);
    sent.assign(of.size(), 0.0f);
    for (const uint16_t at : offsets) sent[at] = of[at];
    inverse_dct(sent, tile.rows, tile.cols);
    std::copy(sent.begin(), sent.end(), of.begin());
  });
  for (size_t i = 0; i < delta.size(); ++i) momentum[i] -= flat[i];
  return body;
}

uint64_t Demo::body_size_max(const Layout& layout) const {
  uint64_t size = 0;
  for (const TileGroup& group : tile_groups(layout)) {
    size += sizeof(GroupSize) + size_range(group, layout, value_bits()).most;
  }
  return size;
}

}  // namespace compress
