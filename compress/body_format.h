// How the updates of one layout are cut and written: a codec, bound to a layout.
//
// Body:  the pieces in order  |  table, one u32 a piece: its bytes; not there if none can vary
//
// The table comes last, so that an encoder writes once and knows no size ahead. Pieces follow from
// the layout: they never travel, and the table alone tells a rank its byte range.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compress/layout.h"
#include "compress/piece.h"

namespace compress {

// Made once and shared by all threads. Memory: about 100 bytes a piece (72 billion parameters in
// sparseloco: 17,000 pieces).
class BodyFormat {
 public:
  virtual ~BodyFormat() = default;
  BodyFormat(const BodyFormat&) = delete;
  BodyFormat& operator=(const BodyFormat&) = delete;

  const Layout& layout() const { return layout_; }
  // In the order of the flat array, without gaps.
  std::span<const Piece> pieces() const { return pieces_; }
  uint64_t table_size() const { return has_table_ ? pieces_.size() * sizeof(uint32_t) : 0; }
  // The longest body, in bytes.
  uint64_t size_max() const { return size_max_; }
  // What memory is stated in: V, the values of the largest piece, and S, the bytes of the longest
  // encoding of one. At 64 of 4,096 in sparseloco 4.2 million and 86 KB; a matrix of more than
  // 65,536 columns has larger ones, for a piece is a whole band at least.
  uint32_t largest_piece() const { return largest_piece_; }
  uint32_t longest_piece() const { return longest_piece_; }

  // One for each thread; the format outlives them.
  virtual std::unique_ptr<PieceEncoder> encoder() const = 0;
  virtual std::unique_ptr<PieceDecoder> decoder() const = 0;
  // `by_senders`: R is not their number, but that of those who sent the coordinate.
  virtual std::unique_ptr<PieceSum> sum(bool by_senders) const;

 protected:
  // `layout` outlives the format.
  BodyFormat(const Layout& layout, std::vector<Piece> pieces, bool has_table);

 private:
  const Layout& layout_;
  std::vector<Piece> pieces_;
  bool has_table_;
  uint64_t size_max_ = 0;
  uint32_t largest_piece_ = 0;
  uint32_t longest_piece_ = 0;
};

// Some pieces in a row: a rank's, or all.
struct PieceRange {
  size_t first = 0;
  size_t end = 0;
  size_t count() const { return end - first; }
};
PieceRange all_pieces(const BodyFormat& format);
// Their values: the first in the flat array, and how many.
uint64_t first_value(const BodyFormat& format, PieceRange range);
uint64_t value_count(const BodyFormat& format, PieceRange range);
// Those that hold any of these values of the flat array.  Pre: first < end <= N.
PieceRange pieces_that_hold(const BodyFormat& format, uint64_t first, uint64_t end);

// Where the pieces of one body lie. 8 bytes a piece.
class PieceTable {
 public:
  // From the table, the last bytes of a body of `body_size`.
  // kOversized: longer than size_max(); kWrongShape: no room for the table, or a piece whose size
  // cannot be; kMalformed: pieces that do not sum to the body.
  //   table (table_size(), or anything if body_size is wrong)
  static Judged<PieceTable> parse(ByteView table, uint64_t body_size, const BodyFormat& format);

  // First byte of a piece, counted from the body's.
  uint64_t first(size_t piece) const { return first_[piece]; }
  uint64_t size(size_t piece) const { return first_[piece + 1] - first_[piece]; }

 private:
  std::vector<uint64_t> first_;  // One more than pieces.
};

// The table of a body whose pieces have these sizes; no bytes if the format has none.
Bytes table_of(const BodyFormat& format, std::span<const uint32_t> sizes);

// Of a body in memory.
Judged<PieceTable> find_pieces(ByteView body, const BodyFormat& format);

// What a body holds of each tensor.
struct BodySums {
  std::vector<double> norms;     // Euclidean.
  std::vector<uint64_t> counts;  // Values that were sent.

  bool is_zero() const;  // Every value: then it is kEmpty.
  uint64_t value_count() const;
};
// From those of every piece, in order: [piece][run].
BodySums sum_up(std::span<const std::vector<RunSum>> sums, const BodyFormat& format);

}  // namespace compress
