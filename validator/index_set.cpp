#include "validator/index_set.h"

#include <algorithm>
#include <numeric>

#include "common/philox.h"

namespace validator {

std::vector<size_t> compared_pieces(const compress::BodyFormat& format, const common::Hash& seed) {
  const std::span<const compress::Piece> pieces = format.pieces();
  std::vector<size_t> chosen(pieces.size());
  std::iota(chosen.begin(), chosen.end(), size_t{0});
  if (format.layout().parameter_count() <= kComparedParameters) return chosen;
  common::Philox random(
      common::Hasher().update(common::view_of("compared")).update(seed.bytes).finish());
  chosen.clear();
  uint64_t covered = 0;
  for (const uint64_t piece :
       common::sample_without_replacement(random, pieces.size(), pieces.size())) {
    if (covered >= kComparedParameters) break;
    chosen.push_back(static_cast<size_t>(piece));
    covered += pieces[piece].count;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

common::Result<IndexSet> index_set(const compress::StoredBody& body,
                                   const compress::BodyFormat& format,
                                   std::span<const size_t> pieces) {
  IndexSet indices;
  compress::PieceReader reader(body, format);
  uint32_t before = 0;  // Parameters of the pieces before.
  for (const size_t piece : pieces) {
    TRY(const compress::PieceValues* const values, reader.read(piece));
    for (const uint32_t offset : values->offset) indices.push_back(before + offset);
    before += format.pieces()[piece].count;
  }
  return indices;
}

}  // namespace validator
