#include "compress/body_stream.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/check.h"
#include "compress/parallel.h"

namespace compress {
namespace {

using common::Result;

constexpr size_t kReadBehind = 128;  // PieceDecoder::judge

// --- write ---

class EncodeMaker : public PieceMaker {
 public:
  EncodeMaker(const BodyFormat& format, uint64_t first, std::span<const float> values)
      : format_(format), first_(first), values_(values), encoder_(format.encoder()) {}

  Result<void> make(size_t i, Bytes& out) override {
    const Piece& piece = format_.pieces()[i];
    encoder_->encode(i, values_.subspan(piece.first - first_, piece.count), out);
    return {};
  }

 private:
  const BodyFormat& format_;
  uint64_t first_;
  std::span<const float> values_;
  std::unique_ptr<PieceEncoder> encoder_;
};

class FeedbackMaker : public PieceMaker {
 public:
  FeedbackMaker(const BodyFormat& format, uint64_t first, std::span<float> e, float decay,
                std::span<const float> delta)
      : format_(format),
        first_(first),
        e_(e),
        decay_(decay),
        delta_(delta),
        encoder_(format.encoder()) {}

  Result<void> make(size_t i, Bytes& out) override {
    const Piece& piece = format_.pieces()[i];
    const uint64_t at = piece.first - first_;
    encoder_->feedback(i, e_.subspan(at, piece.count), decay_, delta_.subspan(at, piece.count),
                       out);
    return {};
  }

 private:
  const BodyFormat& format_;
  uint64_t first_;
  std::span<float> e_;
  float decay_;
  std::span<const float> delta_;
  std::unique_ptr<PieceEncoder> encoder_;
};

// Pieces come in any order and go to the sink in theirs. Whoever is too far ahead waits.
class InOrder {
 public:
  InOrder(size_t ahead, common::ByteSink& sink) : sink_(sink), slots_(ahead) {}

  // Takes the bytes. False when all is over: something failed.  Pre: each i once, from 0 on, and
  // who brings i does not wait for another that he would have to bring himself.
  bool put(size_t i, Bytes bytes) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return trouble_ || i < next_ + slots_.size(); });
    if (trouble_) return false;
    slots_[i % slots_.size()] = std::move(bytes);
    if (writing_) return true;  // Another is at it, and will see this one.
    writing_ = true;
    while (!trouble_ && slots_[next_ % slots_.size()]) {
      const Bytes first = *std::exchange(slots_[next_ % slots_.size()], std::nullopt);
      lock.unlock();
      auto written = sink_.append(first);
      lock.lock();
      if (!written && !trouble_) trouble_ = written.error();
      ++next_;
      moved_.notify_all();
    }
    writing_ = false;
    return !trouble_;
  }

  void fail(common::Error error) {
    const std::lock_guard lock(mutex_);
    if (!trouble_) trouble_ = std::move(error);
    moved_.notify_all();
  }

  // After all threads are done.
  const std::optional<common::Error>& trouble() const { return trouble_; }

 private:
  common::ByteSink& sink_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::vector<std::optional<Bytes>> slots_;  // Piece i in slot i modulo their number.
  size_t next_ = 0;                          // To be written.
  bool writing_ = false;
  std::optional<common::Error> trouble_;
};

// --- read ---

common::Error changed_since(size_t piece) {
  return {common::Code::kCorrupt,
          "piece " + std::to_string(piece) + " of a contribution was changed since it was judged"};
}

}  // namespace

NewPieceMaker encode_from(const BodyFormat& format, PieceRange range,
                          std::span<const float> values) {
  CHECK(values.size() == value_count(format, range));
  return [&format, first = first_value(format, range), values] {
    return std::make_unique<EncodeMaker>(format, first, values);
  };
}

NewPieceMaker feedback_from(const BodyFormat& format, PieceRange range, std::span<float> e,
                            float decay, std::span<const float> delta) {
  CHECK(e.size() == value_count(format, range) && delta.size() == e.size());
  return [&format, first = first_value(format, range), e, decay, delta] {
    return std::make_unique<FeedbackMaker>(format, first, e, decay, delta);
  };
}

Result<std::vector<uint32_t>> write_pieces(const BodyFormat& format, PieceRange range,
                                           const NewPieceMaker& new_maker, uint32_t threads,
                                           common::ByteSink& sink) {
  CHECK(range.first <= range.end && range.end <= format.pieces().size());
  std::vector<uint32_t> sizes(range.count());
  InOrder out(2 * size_t{std::max(1u, threads)}, sink);
  in_parallel(range.count(), threads, [&](Pieces& pieces) {
    const std::unique_ptr<PieceMaker> maker = new_maker();
    for (size_t i; pieces.take(i);) {
      Bytes bytes;
      if (auto made = maker->make(range.first + i, bytes); !made) return out.fail(made.error());
      const Piece& piece = format.pieces()[range.first + i];
      CHECK(bytes.size() >= piece.size_min && bytes.size() <= piece.size_max);
      sizes[i] = static_cast<uint32_t>(bytes.size());
      if (!out.put(i, std::move(bytes))) return;
    }
  });
  if (out.trouble()) return *out.trouble();
  return sizes;
}

Result<void> write_body(const BodyFormat& format, const NewPieceMaker& new_maker, uint32_t threads,
                        common::ByteSink& sink) {
  TRY(const std::vector<uint32_t> sizes,
      write_pieces(format, all_pieces(format), new_maker, threads, sink));
  return sink.append(table_of(format, sizes));
}

Result<Judged<StoredBody>> StoredBody::open(const common::ByteSource& source, uint64_t first,
                                            uint64_t size, const BodyFormat& format) {
  CHECK(first <= source.size() && size <= source.size() - first);
  Bytes table;
  if (size <= format.size_max() && size >= format.table_size()) {
    table.resize(format.table_size());
    TRY_VOID(source.read(first + size - table.size(), table));
  }
  auto parsed = PieceTable::parse(table, size, format);
  if (!parsed) return Judged<StoredBody>(tl::unexpected(parsed.error()));
  return Judged<StoredBody>(StoredBody(source, first, *std::move(parsed)));
}

Result<void> StoredBody::read(size_t piece, Bytes& out) const {
  const uint64_t size = table_.size(piece);
  out.resize(size + kReadBehind);
  std::fill(out.end() - kReadBehind, out.end(), uint8_t{0});
  return source_->read(first_ + table_.first(piece), std::span(out).first(size));
}

Result<Judged<std::vector<std::vector<RunSum>>>> judge_pieces(const StoredBody& body,
                                                              const BodyFormat& format,
                                                              PieceRange range, uint32_t threads) {
  using Sums = std::vector<std::vector<RunSum>>;
  CHECK(range.first <= range.end && range.end <= format.pieces().size());
  Sums sums(range.count());
  std::vector<Verdict> verdicts(range.count(), Verdict::kAccepted);
  std::atomic<bool> refused = false;
  Trouble trouble;
  in_parallel(range.count(), threads, [&](Pieces& pieces) {
    const std::unique_ptr<PieceDecoder> decoder = format.decoder();
    Bytes bytes;
    // All before one that is refused were taken by somebody, who will be done with them: so it is
    // always the first that is named.
    for (size_t i; !refused && !trouble.any() && pieces.take(i);) {
      const size_t piece = range.first + i;
      if (auto read = body.read(piece, bytes); !read) return trouble.note(read.error());
      verdicts[i] = decoder->judge(piece, bytes, body.piece_size(piece));
      if (verdicts[i] != Verdict::kAccepted) {
        refused = true;
      } else {
        sums[i].assign(decoder->sums().begin(), decoder->sums().end());
      }
    }
  });
  TRY_VOID(trouble.result());
  const auto first = std::find_if(verdicts.begin(), verdicts.end(),
                                  [](Verdict verdict) { return verdict != Verdict::kAccepted; });
  if (first != verdicts.end()) return Judged<Sums>(tl::unexpected(*first));
  return Judged<Sums>(std::move(sums));
}

Result<Judged<BodySums>> judge_body(const StoredBody& body, const BodyFormat& format,
                                    uint32_t threads) {
  TRY(const auto sums, judge_pieces(body, format, all_pieces(format), threads));
  if (!sums) return Judged<BodySums>(tl::unexpected(sums.error()));
  BodySums all = sum_up(*sums, format);
  if (all.is_zero()) return Judged<BodySums>(tl::unexpected(Verdict::kEmpty));
  return Judged<BodySums>(std::move(all));
}

Result<const PieceValues*> PieceReader::read(size_t piece) {
  TRY_VOID(body_.read(piece, bytes_));
  const Verdict verdict = decoder_->decode(piece, bytes_, body_.piece_size(piece), values_);
  if (verdict != Verdict::kAccepted) return changed_since(piece);
  return &values_;
}

Result<void> visit_pieces(const StoredBody& body, const BodyFormat& format, PieceRange range,
                          uint32_t threads,
                          const std::function<Result<void>(size_t, const PieceValues&)>& visit) {
  CHECK(range.first <= range.end && range.end <= format.pieces().size());
  Trouble trouble;
  in_parallel(range.count(), threads, [&](Pieces& pieces) {
    PieceReader reader(body, format);
    for (size_t i; !trouble.any() && pieces.take(i);) {
      const auto values = reader.read(range.first + i);
      if (!values) return trouble.note(values.error());
      if (auto visited = visit(range.first + i, **values); !visited) {
        return trouble.note(visited.error());
      }
    }
  });
  return trouble.result();
}

}  // namespace compress
