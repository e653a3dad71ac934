// Where a piece lies while it is whole: layers take turns in two places, so that the next can
// arrive while one is worked with; embeddings and vocabulary share one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "train/pieces.h"

namespace train::sharding {

inline constexpr size_t kPlaces = 4;

// Tied, the embeddings are in use between the uses of the last piece, which is the norm alone then
// and has a place of its own.
inline size_t place_of(const PieceLayout& pieces, size_t piece) {
  if (piece == pieces.embeddings()) return 2;
  if (piece == pieces.last()) return pieces.tied() ? 3 : 2;
  return piece % 2;
}

// Values.
inline std::array<uint64_t, kPlaces> place_sizes(const PieceLayout& pieces) {
  std::array<uint64_t, kPlaces> sizes{};
  for (size_t piece = 0; piece < pieces.count(); ++piece) {
    uint64_t& size = sizes[place_of(pieces, piece)];
    size = std::max(size, pieces[piece].size);
  }
  return sizes;
}

}  // namespace train::sharding
