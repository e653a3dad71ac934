// A model in pieces, and who holds them: what is fetched, worked with and given back at once.
//
// The model does not know where its parameters are. It asks a `ParameterSource` for a piece before
// it works with it, and tells a `GradientSink` when a piece's gradient is complete. One machine
// holds everything (WholeParameters, WholeGradient); of several each holds a share of every piece
// (train/sharding.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"

namespace train {

// Of the flat array of parameters.
struct Range {
  uint64_t first;
  uint64_t size;
  uint64_t end() const { return first + size; }
};

// In the order of `parameter_layout`, without gaps:
//   0                the embeddings
//   1 .. layers      a layer each
//   layers + 1       the final norm, and the vocabulary unless it is the embeddings once more
class PieceLayout {
 public:
  explicit PieceLayout(const common::ModelParams& params);

  size_t count() const { return pieces_.size(); }
  Range operator[](size_t piece) const { return pieces_[piece]; }
  uint64_t parameter_count() const { return pieces_.back().end(); }

  bool tied() const { return tied_; }
  size_t layers() const { return count() - 2; }
  static size_t embeddings() { return 0; }
  static size_t layer(size_t index) { return 1 + index; }
  size_t last() const { return count() - 1; }
  size_t vocabulary() const { return tied_ ? embeddings() : last(); }

 private:
  std::vector<Range> pieces_;
  bool tied_;
};

inline constexpr size_t kNoPiece = ~size_t{0};

class ParameterSource {
 public:
  virtual ~ParameterSource() = default;

  struct Piece {
    const float* values;  // In the machine's memory, until the next `get`.
    size_t place;         // Which of the source's places they lie in,
    uint64_t fill;        //   and a number that is another one whenever that place was filled anew.
  };
  // How many pieces lie side by side; what is made of a piece (tiles, a bf16 copy) is kept by
  // place.
  virtual size_t places() const = 0;
  // `next` will be asked for soon (kNoPiece: not known), and may be fetched meanwhile.
  // Errors are those of the machines that hold it.
  virtual common::Result<Piece> get(size_t piece, size_t next) = 0;
};

class GradientSink {
 public:
  virtual ~GradientSink() = default;

  // Where to add to a piece's gradient, in the machine's memory. Opened again before it is closed
  // (tied embeddings are used twice) it is the same place, with what was added.
  virtual common::Result<float*> open(size_t piece) = 0;
  // These positions have added all that they have to add. Once for every piece that was opened.
  virtual common::Result<void> close(size_t piece) = 0;
};

// Everything on this machine. Never fails.
class WholeParameters final : public ParameterSource {
 public:
  // theta (N) in the machine's memory, unchanged while the source is used.
  WholeParameters(const PieceLayout& layout, const float* theta) : layout_(layout), theta_(theta) {}

  size_t places() const override { return layout_.count(); }
  common::Result<Piece> get(size_t piece, size_t) override {
    return Piece{theta_ + layout_[piece].first, piece, 1};
  }

 private:
  const PieceLayout& layout_;
  const float* theta_;
};

class WholeGradient final : public GradientSink {
 public:
  // gradient (N) in the machine's memory; added to.
  WholeGradient(const PieceLayout& layout, float* gradient)
      : layout_(layout), gradient_(gradient) {}

  common::Result<float*> open(size_t piece) override { return gradient_ + layout_[piece].first; }
  common::Result<void> close(size_t) override { return {}; }

 private:
  const PieceLayout& layout_;
  float* gradient_;
};

}  // namespace train
