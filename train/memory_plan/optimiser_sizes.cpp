#include "train/memory_plan/optimiser_sizes.h"

#include <algorithm>
#include <numeric>
#include <vector>

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
  room = std::max(room, other.room);
  work += other.work;
  factors = std::max(factors, other.factors);
  return *this;
}

OptimiserSizes optimiser_sizes(const compress::Layout& layout, std::string_view optimiser,
                               ParameterRange range) {
  const auto sizes = [](std::vector<uint64_t> moments) {
    return OptimiserSizes{.moments = std::accumulate(moments.begin(), moments.end(), uint64_t{0}),
                          .room = moment_room_size(moments)};
  };
  if (optimiser != kMuonKind) return sizes({range.size, range.size});
  uint64_t in_matrices = 0;
  MuonRooms rooms;
  for (const compress::Tensor& tensor : layout.tensors()) {
    const bool inside = tensor.offset >= range.first && tensor.offset < range.end();
    if (!inside || tensor.is_vector() || !tensor.name.starts_with("model.layers.")) continue;
    in_matrices += tensor.size();
    rooms.meet(tensor);
  }
  const uint64_t in_others = range.size - in_matrices;
  OptimiserSizes muon = sizes({in_matrices, in_others, in_others});
  muon.work = rooms.work();
  muon.factors = rooms.factors;
  return muon;
}

}  // namespace train
