// The table that opens a sparseloco body: the size of each tile group (compress/sparseloco.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codec.h"
#include "compress/tile_groups.h"

namespace compress {

struct ByteRange {
  uint64_t first = 0;  // In the body.
  uint64_t size = 0;
};

// Table, then the groups' bytes in order.
Bytes join_groups(std::span<const Bytes> groups);

// Where each group lies, or kWrongShape, kMalformed as decode says (compress/sparseloco.h).
Judged<std::vector<ByteRange>> find_groups(ByteView body, std::span<const TileGroup> groups,
                                           const Layout& layout);

// The longest body of these groups, in bytes.
uint64_t body_size_max(std::span<const TileGroup> groups, const Layout& layout);

}  // namespace compress
