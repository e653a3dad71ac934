#include "train/memory_plan/optimiser_sizes.h"

#include <algorithm>

#include "train/muon.h"

namespace train {
namespace {

// Of Newton's and Schulz's iteration, and of the update that it begins with: each grows to the
// largest that was met.
struct MuonRooms {
  uint64_t update = 0;
  uint64_t next = 0;
  uint64_t transposed = 0;
  uint64_t square = 0;
  uint64_t identity = 0;
  uint64_t factors = 0;

  void meet(const compress::Tensor& matrix) {
    const uint64_t smaller = std::min(matrix.rows, matrix.cols);
    const uint64_t side = smaller * smaller;
    update = std::max(update, matrix.size());
    next = update;
    square = std::max(square, side);
    if (matrix.rows > matrix.cols) {
      transposed = std::max(transposed, matrix.size());
      identity = std::max(identity, side);
    }
    // The largest product is X X^T; no other factors are larger.
    const uint64_t padded = (matrix.size() + 127) / 128 * 128;
    factors = std::max(factors, padded + matrix.size());
  }
  uint64_t work() const { return update + next + transposed + 2 * square + identity; }
};

}  // namespace

OptimiserSizes& OptimiserSizes::operator+=(const OptimiserSizes& other) {
  moments += other.moments;
  work += other.work;
  factors = std::max(factors, other.factors);
  return *this;
}

OptimiserSizes optimiser_sizes(const compress::Layout& layout, std::string_view optimiser,
                               ParameterRange range) {
  if (optimiser != kMuonKind) return {.moments = 2 * range.size};
  uint64_t in_matrices = 0;
  MuonRooms rooms;
  for (const compress::Tensor& tensor : layout.tensors()) {
    const bool inside = tensor.offset >= range.first && tensor.offset < range.end();
    if (!inside || tensor.is_vector() || !tensor.name.starts_with("model.layers.")) continue;
    in_matrices += tensor.size();
    rooms.meet(tensor);
  }
  return {.moments = in_matrices + 2 * (range.size - in_matrices),
          .work = rooms.work(),
          .factors = rooms.factors};
}

}  // namespace train
