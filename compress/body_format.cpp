#include "compress/body_format.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "common/check.h"

namespace compress {
namespace {

// What any codec can do: each contributor's values one by one.
class DecodedSum : public PieceSum {
 public:
  DecodedSum(const BodyFormat& format, bool by_senders)
      : format_(format), by_senders_(by_senders), decoder_(format.decoder()) {
    if (by_senders_) senders_.reserve(format.largest_piece());  // Not twice, by growing.
  }

  std::optional<size_t> sum(size_t piece, std::span<const ScaledPiece> of,
                            std::span<float> G) override {
    CHECK(G.size() == format_.pieces()[piece].count);
    CHECK(!of.empty() && of.size() <= std::numeric_limits<uint16_t>::max());
    std::fill(G.begin(), G.end(), 0.0f);
    if (by_senders_) senders_.assign(G.size(), 0);
    for (size_t i = 0; i < of.size(); ++i) {
      if (decoder_->decode(piece, of[i].bytes, of[i].size, sent_) != Verdict::kAccepted) return i;
      add(format_.pieces()[piece], of[i].scale, G);
    }
    if (by_senders_) {
      divide_by_senders(G);
    } else {
      const auto share = static_cast<float>(1.0 / static_cast<double>(of.size()));
      for (float& value : G) value *= share;
    }
    return std::nullopt;
  }

 private:
  void add(const Piece& piece, std::span<const float> scale, std::span<float> G) {
    size_t i = 0;
    for (const PieceRun& run : piece.runs) {
      const float factor = scale[run.tensor];
      const uint64_t end = uint64_t{run.first} + run.count;
      for (; i < sent_.offset.size() && sent_.offset[i] < end; ++i) {
        G[sent_.offset[i]] += factor * sent_.value[i];
        if (by_senders_) ++senders_[sent_.offset[i]];
      }
    }
  }

  void divide_by_senders(std::span<float> G) const {
    for (size_t j = 0; j < G.size(); ++j) {
      if (senders_[j] > 1) G[j] *= static_cast<float>(1.0 / senders_[j]);
    }
  }

  const BodyFormat& format_;
  bool by_senders_;
  std::unique_ptr<PieceDecoder> decoder_;
  PieceValues sent_;
  std::vector<uint16_t> senders_;
};

}  // namespace

void PieceEncoder::feedback(size_t piece, std::span<float> e, float decay,
                            std::span<const float> delta, Bytes& out) {
  CHECK(e.size() == delta.size());
  for (size_t i = 0; i < e.size(); ++i) e[i] = decay * e[i] + delta[i];
  const size_t first = out.size();
  encode(piece, e, out);
  const ByteView bytes = ByteView(out).subspan(first);
  CHECK(decoder_->decode(piece, bytes, bytes.size(), sent_) == Verdict::kAccepted);
  for (size_t i = 0; i < sent_.offset.size(); ++i) e[sent_.offset[i]] -= sent_.value[i];
}

BodyFormat::BodyFormat(const Layout& layout, std::vector<Piece> pieces, bool has_table)
    : layout_(layout), pieces_(std::move(pieces)), has_table_(has_table) {
  uint64_t next = 0;
  size_max_ = table_size();
  for (const Piece& piece : pieces_) {
    CHECK(piece.first == next && piece.count > 0);
    CHECK(has_table || piece.size_min == piece.size_max);
    next = piece.end();
    size_max_ += piece.size_max;
    largest_piece_ = std::max(largest_piece_, piece.count);
    longest_piece_ = std::max(longest_piece_, piece.size_max);
  }
  CHECK(next == layout.parameter_count());
}

std::unique_ptr<PieceSum> BodyFormat::sum(bool by_senders) const {
  return std::make_unique<DecodedSum>(*this, by_senders);
}

PieceRange all_pieces(const BodyFormat& format) { return {0, format.pieces().size()}; }

uint64_t first_value(const BodyFormat& format, PieceRange range) {
  return range.count() == 0 ? 0 : format.pieces()[range.first].first;
}

uint64_t value_count(const BodyFormat& format, PieceRange range) {
  if (range.count() == 0) return 0;
  return format.pieces()[range.end - 1].end() - format.pieces()[range.first].first;
}

PieceRange pieces_that_hold(const BodyFormat& format, uint64_t first, uint64_t end) {
  CHECK(first < end && end <= format.layout().parameter_count());
  const auto pieces = format.pieces();
  const auto begins_after = [](uint64_t value, const Piece& piece) { return value < piece.first; };
  const auto after_first = std::upper_bound(pieces.begin(), pieces.end(), first, begins_after);
  const auto after_last = std::upper_bound(pieces.begin(), pieces.end(), end - 1, begins_after);
  return {static_cast<size_t>(after_first - pieces.begin()) - 1,
          static_cast<size_t>(after_last - pieces.begin())};
}

Judged<PieceTable> PieceTable::parse(ByteView table, uint64_t body_size, const BodyFormat& format) {
  if (body_size > format.size_max()) return tl::unexpected(Verdict::kOversized);
  if (body_size < format.table_size()) return tl::unexpected(Verdict::kWrongShape);
  const bool listed = format.table_size() > 0;
  CHECK(table.size() == format.table_size());
  common::ByteReader in(table);
  PieceTable made;
  made.first_.reserve(format.pieces().size() + 1);
  made.first_.push_back(0);
  for (const Piece& piece : format.pieces()) {
    const uint32_t size = listed ? in.number<uint32_t>() : piece.size_max;
    if (size < piece.size_min || size > piece.size_max) {
      return tl::unexpected(Verdict::kWrongShape);
    }
    made.first_.push_back(made.first_.back() + size);
  }
  if (made.first_.back() != body_size - table.size()) {
    return tl::unexpected(listed ? Verdict::kMalformed : Verdict::kWrongShape);
  }
  return made;
}

Bytes table_of(const BodyFormat& format, std::span<const uint32_t> sizes) {
  CHECK(sizes.size() == format.pieces().size());
  common::ByteWriter out;
  if (format.table_size() == 0) return {};
  for (const uint32_t size : sizes) out.number(size);
  return std::move(out).bytes();
}

Judged<PieceTable> find_pieces(ByteView body, const BodyFormat& format) {
  const uint64_t size = format.table_size();
  return PieceTable::parse(body.size() < size ? ByteView() : body.last(size), body.size(), format);
}

bool BodySums::is_zero() const {
  // A square of fp32 is never rounded to zero in fp64.
  return std::all_of(norms.begin(), norms.end(), [](double norm) { return norm == 0; });
}

uint64_t BodySums::value_count() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

BodySums sum_up(std::span<const std::vector<RunSum>> sums, const BodyFormat& format) {
  const size_t tensors = format.layout().tensors().size();
  BodySums all{std::vector<double>(tensors), std::vector<uint64_t>(tensors)};
  for (size_t i = 0; i < sums.size(); ++i) {
    const Piece& piece = format.pieces()[i];
    CHECK(sums[i].size() == piece.runs.size());
    for (size_t r = 0; r < piece.runs.size(); ++r) {
      all.norms[piece.runs[r].tensor] += sums[i][r].squares;
      all.counts[piece.runs[r].tensor] += sums[i][r].count;
    }
  }
  for (double& norm : all.norms) norm = std::sqrt(norm);
  return all;
}

}  // namespace compress
