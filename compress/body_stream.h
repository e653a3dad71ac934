// Bodies of any size: written to a sink and read from a source, piece by piece.
//
// Nothing here holds a body or an update. Memory is stated in V and S (BodyFormat::largest_piece,
// longest_piece).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/byte_sink.h"
#include "common/byte_source.h"
#include "common/result.h"
#include "compress/body_format.h"

namespace compress {

// --- write ---

// One thread's: brings pieces to be written.
class PieceMaker {
 public:
  virtual ~PieceMaker() = default;
  // Appends the bytes of a piece to `out`. Once for each piece; errors end the writing.
  virtual common::Result<void> make(size_t piece, Bytes& out) = 0;
};
using NewPieceMaker = std::function<std::unique_ptr<PieceMaker>()>;

// Of values in memory: those of `range`, from its first value on. They and `format` outlive it.
NewPieceMaker encode_from(const BodyFormat& format, PieceRange range,
                          std::span<const float> values);
// One window of error feedback (PieceEncoder::feedback), which changes e. After an error e is void:
// what the pieces had sent that were made is lost to it.
NewPieceMaker feedback_from(const BodyFormat& format, PieceRange range, std::span<float> e,
                            float decay, std::span<const float> delta);

// The pieces of `range`, in order; returns their sizes, 4 bytes each. So a rank writes what is its
// own. Pieces are made on `threads` threads, each with a maker of its own; the sink is asked by one
// at a time. Memory: 4 S a thread, beside makers and sink.
common::Result<std::vector<uint32_t>> write_pieces(const BodyFormat& format, PieceRange range,
                                                   const NewPieceMaker& new_maker, uint32_t threads,
                                                   common::ByteSink& sink);
// The whole body: all pieces and the table.
common::Result<void> write_body(const BodyFormat& format, const NewPieceMaker& new_maker,
                                uint32_t threads, common::ByteSink& sink);

// --- read ---

// A body where it lies: `size` bytes of a source, from `first` on. Memory: its table.
class StoredBody {
 public:
  // Reads the table, if the body is not oversized. What is wrong with it, as PieceTable::parse
  // says; errors are the source's. The source outlives it.
  static common::Result<Judged<StoredBody>> open(const common::ByteSource& source, uint64_t first,
                                                 uint64_t size, const BodyFormat& format);

  uint64_t piece_size(size_t piece) const { return table_.size(piece); }
  // The bytes of a piece, and 128 that mean nothing (PieceDecoder::judge). Any thread may.
  common::Result<void> read(size_t piece, Bytes& out) const;

 private:
  StoredBody(const common::ByteSource& source, uint64_t first, PieceTable table)
      : source_(&source), first_(first), table_(std::move(table)) {}

  const common::ByteSource* source_;
  uint64_t first_;
  PieceTable table_;
};

// Whether every piece of `range` is one that `encode` can have written; if not, what is wrong with
// the first that is not, on any number of threads. What each holds: [piece of the range][run]. A
// rank judges what is its own, and whoever has the sums of all knows the norms (sum_up). No values
// are kept. Memory: S and a decoder a thread, and about 50 bytes a piece.
common::Result<Judged<std::vector<std::vector<RunSum>>>> judge_pieces(const StoredBody& body,
                                                                      const BodyFormat& format,
                                                                      PieceRange range,
                                                                      uint32_t threads);
// The whole body: as judge_pieces, then kEmpty.
common::Result<Judged<BodySums>> judge_body(const StoredBody& body, const BodyFormat& format,
                                            uint32_t threads);

// One thread's: the values of a body that was judged before.
class PieceReader {
 public:
  // All outlive it.
  PieceReader(const StoredBody& body, const BodyFormat& format)
      : body_(body), decoder_(format.decoder()) {}

  // Until the next call. kCorrupt: it was changed since it was judged.
  common::Result<const PieceValues*> read(size_t piece);

 private:
  const StoredBody& body_;
  std::unique_ptr<PieceDecoder> decoder_;
  Bytes bytes_;
  PieceValues values_;
};

// Calls visit(piece, values) for every piece of `range`, on `threads` threads in any order. Errors
// are PieceReader's and the visitor's; some pieces were not visited then.
// Memory: S, a decoder and 8 bytes a value that was sent of the largest piece, a thread.
common::Result<void> visit_pieces(
    const StoredBody& body, const BodyFormat& format, PieceRange range, uint32_t threads,
    const std::function<common::Result<void>(size_t, const PieceValues&)>& visit);

}  // namespace compress
