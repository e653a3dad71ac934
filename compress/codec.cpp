#include "compress/codec.h"

#include <functional>
#include <vector>

#include "common/check.h"
#include "compress/parallel.h"

namespace compress {
namespace {

using EncodePiece = std::function<void(PieceEncoder&, const Piece&, size_t, Bytes&)>;

Bytes encode_all(const BodyFormat& format, uint32_t threads, const EncodePiece& encode) {
  const auto pieces = format.pieces();
  std::vector<Bytes> encoded(pieces.size());
  in_parallel(pieces.size(), threads, [&](Pieces& next) {
    const auto encoder = format.encoder();
    Bytes room;
    for (size_t i = 0; next.take(i);) {
      room.clear();
      encode(*encoder, pieces[i], i, room);
      encoded[i] = room;
    }
  });
  std::vector<uint32_t> sizes;
  uint64_t size = format.table_size();
  for (const Bytes& piece : encoded) {
    sizes.push_back(static_cast<uint32_t>(piece.size()));
    size += piece.size();
  }
  Bytes body;
  body.reserve(size);
  for (const Bytes& piece : encoded) body.insert(body.end(), piece.begin(), piece.end());
  const Bytes table = table_of(format, sizes);
  body.insert(body.end(), table.begin(), table.end());
  return body;
}

// A body's pieces, each decoded by itself.
struct DecodedPieces {
  std::vector<PieceValues> values;
  std::vector<std::vector<RunSum>> sums;
  std::vector<Verdict> verdicts;
};

DecodedPieces decode_pieces(ByteView body, const PieceTable& table, const BodyFormat& format,
                            uint32_t threads) {
  const size_t count = format.pieces().size();
  DecodedPieces decoded{std::vector<PieceValues>(count), std::vector<std::vector<RunSum>>(count),
                        std::vector<Verdict>(count, Verdict::kAccepted)};
  in_parallel(count, threads, [&](Pieces& next) {
    const auto decoder = format.decoder();
    PieceValues values;
    for (size_t i = 0; next.take(i);) {
      decoded.verdicts[i] = decoder->decode(i, body.subspan(table.first(i)), table.size(i), values);
      if (decoded.verdicts[i] != Verdict::kAccepted) return;
      decoded.values[i] = values;
      decoded.sums[i].assign(decoder->sums().begin(), decoder->sums().end());
    }
  });
  return decoded;
}

Update update_of(DecodedPieces& decoded, const BodyFormat& format) {
  const auto tensors = format.layout().tensors();
  const BodySums sums = sum_up(decoded.sums, format);
  Update update;
  update.tensors.resize(tensors.size());
  for (size_t t = 0; t < tensors.size(); ++t) {
    update.tensors[t].index.reserve(sums.counts[t]);
    update.tensors[t].value.reserve(sums.counts[t]);
    update.tensors[t].norm = sums.norms[t];
  }
  for (size_t i = 0; i < decoded.values.size(); ++i) {
    const Piece& piece = format.pieces()[i];
    const PieceValues& values = decoded.values[i];
    size_t next = 0;
    for (size_t r = 0; r < piece.runs.size(); ++r) {
      const size_t t = piece.runs[r].tensor;
      SparseTensor& out = update.tensors[t];
      const size_t end = next + decoded.sums[i][r].count;
      for (size_t j = next; j < end; ++j) {
        out.index.push_back(
            static_cast<uint32_t>(piece.first + values.offset[j] - tensors[t].offset));
      }
      out.value.insert(out.value.end(), values.value.begin() + static_cast<ptrdiff_t>(next),
                       values.value.begin() + static_cast<ptrdiff_t>(end));
      next = end;
    }
    decoded.values[i] = {};
  }
  return update;
}

}  // namespace

Bytes Codec::encode(std::span<const float> values, const Layout& layout) const {
  CHECK(values.size() == layout.parameter_count());
  return encode_all(*format(layout), threads_,
                    [&](PieceEncoder& encoder, const Piece& piece, size_t i, Bytes& out) {
                      encoder.encode(i, values.subspan(piece.first, piece.count), out);
                    });
}

Bytes Codec::encode_feedback(std::span<float> e, float decay, std::span<const float> delta,
                             const Layout& layout) const {
  CHECK(e.size() == layout.parameter_count() && delta.size() == e.size());
  return encode_all(*format(layout), threads_,
                    [&](PieceEncoder& encoder, const Piece& piece, size_t i, Bytes& out) {
                      encoder.feedback(i, e.subspan(piece.first, piece.count), decay,
                                       delta.subspan(piece.first, piece.count), out);
                    });
}

Judged<Update> Codec::decode(ByteView body, const Layout& layout) const {
  const auto format = this->format(layout);
  const auto table = find_pieces(body, *format);
  if (!table) return tl::unexpected(table.error());
  DecodedPieces decoded = decode_pieces(body, *table, *format, threads_);
  for (const Verdict verdict : decoded.verdicts) {
    if (verdict != Verdict::kAccepted) return tl::unexpected(verdict);
  }
  Update update = update_of(decoded, *format);
  if (update.is_zero()) return tl::unexpected(Verdict::kEmpty);
  return update;
}

uint64_t Codec::body_size_max(const Layout& layout) const { return format(layout)->size_max(); }

}  // namespace compress
