// The parts of a body. A piece covers one range of the flat array and stands in one range of bytes,
// so that a body of any size is written, read, judged and summed piece by piece: in bounded memory,
// on any number of threads, or each machine its own pieces.
//
// What works on pieces here is one thread's and keeps its scratch between calls; how much, each
// codec says in its header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "common/bytes.h"
#include "common/verdict.h"
#include "compress/layout.h"

namespace compress {

using common::Bytes;
using common::ByteView;
using common::Verdict;

// A T, or what the peer who sent the bytes did wrong.
template <typename T>
using Judged = tl::expected<T, Verdict>;

// Consecutive values of one tensor.
struct PieceRun {
  size_t tensor = 0;
  uint32_t first = 0;  // In the piece.
  uint32_t count = 0;
};

struct Piece {
  uint64_t first = 0;  // In the flat array.
  uint32_t count = 0;
  uint32_t size_min = 0;  // Bytes that its encoding can take.
  uint32_t size_max = 0;
  std::vector<PieceRun> runs;  // By tensor; they cover the piece.

  uint64_t end() const { return first + count; }
};

// What one run of a piece holds. The sums of a tensor's runs, added in the order of the pieces, are
// the square of its norm.
struct RunSum {
  uint64_t count = 0;  // Values that were sent,
  double squares = 0;  //   and their sum of squares, in fp64 in an order that the codec fixes.
};

// What was sent of a piece: offsets in it, ascending, and the values there, all finite.
struct PieceValues {
  std::vector<uint32_t> offset;
  std::vector<float> value;
};

class PieceDecoder {
 public:
  virtual ~PieceDecoder() = default;

  // Whether the first `size` of `bytes` are exactly what a PieceEncoder can have written for this
  // piece; if not, what is wrong with them. What lies behind may be read and means nothing: with
  // 128 readable bytes there no copy is made.
  virtual Verdict judge(size_t piece, ByteView bytes, uint64_t size) = 0;
  // The same, and the values.
  virtual Verdict decode(size_t piece, ByteView bytes, uint64_t size, PieceValues& out) = 0;
  // One for each run of the piece that was accepted last.
  std::span<const RunSum> sums() const { return sums_; }

 protected:
  std::vector<RunSum> sums_;
};

class PieceEncoder {
 public:
  // `decoder` reads what this writes; for `feedback`.
  explicit PieceEncoder(std::unique_ptr<PieceDecoder> decoder) : decoder_(std::move(decoder)) {}
  virtual ~PieceEncoder() = default;

  // Appends the piece. values (count of the piece), finite (CHECK: NaN in our own update is a bug).
  virtual void encode(size_t piece, std::span<const float> values, Bytes& out) = 0;
  // One window of error feedback (compress/error_feedback.h), in place:
  //   e = decay * e + delta;  the piece is encode(e);  e = e - decode(piece)
  // e, delta (count of the piece). Every operation is rounded on its own, so a codec that does it
  // all in one pass over memory gives the same bits as this, which takes four.
  virtual void feedback(size_t piece, std::span<float> e, float decay, std::span<const float> delta,
                        Bytes& out);

 private:
  std::unique_ptr<PieceDecoder> decoder_;
  PieceValues sent_;
};

// A contributor's encoding of a piece (PieceDecoder::judge), and what its values of each tensor of
// the layout are multiplied by.
struct ScaledPiece {
  ByteView bytes;
  uint64_t size = 0;
  std::span<const float> scale;
};

class PieceSum {
 public:
  virtual ~PieceSum() = default;

  // G[j] = (1 / R) * sum of scale * value, in the order of `of` (compress/aggregate.h).
  //   of  R of them, 1 to 65,535      G (count of the piece)  overwritten
  // The first of them that is refused, if any; G is anything then.
  virtual std::optional<size_t> sum(size_t piece, std::span<const ScaledPiece> of,
                                    std::span<float> G) = 0;
};

}  // namespace compress
