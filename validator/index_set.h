// Where a contribution sent values: what is compared to see who copied (validator/overlap.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/hash.h"
#include "common/result.h"
#include "compress/body_stream.h"

namespace validator {

// Of the pieces that are compared, as if they lay one behind the other; ascending, each once.
using IndexSet = std::vector<uint32_t>;

// The pieces that are compared in a window whose seed block is this: all of a model of up to
// kComparedParameters; of a larger one as many as hold so many, drawn by the seed, which nobody
// knows before the deadline. Ascending. At 1 of 64 a set then has 262,144 indices, 1 MiB, and a
// share of common ones an error of 0.1 % at most.
inline constexpr uint64_t kComparedParameters = 1 << 24;
std::vector<size_t> compared_pieces(const compress::BodyFormat& format, const common::Hash& seed);

// Errors are of the body's source. Pre: the body was judged.
common::Result<IndexSet> index_set(const compress::StoredBody& body,
                                   const compress::BodyFormat& format,
                                   std::span<const size_t> pieces);

}  // namespace validator
