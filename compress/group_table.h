// The table in front of a body whose groups differ in size: one u32 a tile group, its bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/codec.h"

namespace compress {

using GroupSize = uint32_t;  // In the table.

// What a group of this layout can take, in bytes.
struct SizeRange {
  uint64_t least = 0;
  uint64_t most = 0;
};

// The bytes of each group.  kWrongShape: shorter than the table, or a group out of its range;
// kMalformed: groups that do not sum to the body.
Judged<std::vector<ByteView>> split_groups(ByteView body, std::span<const SizeRange> ranges);

}  // namespace compress
