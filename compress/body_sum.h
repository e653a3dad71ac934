// Decoding and aggregating in one: many bodies of sparseloco become G without the updates between.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "common/hparams.h"
#include "common/window.h"
#include "compress/layout.h"
#include "compress/piece.h"
#include "compress/tile_groups.h"

namespace compress {

// One whose update is still in its bytes.
struct CodedContributor {
  common::Uid uid;
  double weight = 1.0;  // From the manifest, finite (CHECK).
  ByteView body;        // sparseloco's; outlives the call.
};

// Who sent what decode refuses, and its verdict.
struct Refused {
  size_t contributor = 0;  // Among those that were given; the first such.
  Verdict verdict = Verdict::kMalformed;
};

// G (N, overwritten) = aggregate(decode(body) of each): the same bits (compress/aggregate.h), on
// `threads` threads. If one is refused, G is anything: ask again without it.
//
// Each tile of G is summed in a core's own memory, contributor after contributor, so that nothing
// of the size of an update is written. Time: linear in the values sent and in N. Memory: a few
// tiles a thread, and for each contributor the heads of a group.
std::optional<Refused> aggregate_bodies(std::span<const CodedContributor> contributors,
                                        const Layout& layout, const common::OuterParams& params,
                                        uint32_t threads, std::span<float> G);

// One thread's sums of sparseloco's pieces, which are `groups`; both outlive it. Memory: a few
// tiles, and for each contributor 8 bytes a tile of the largest group (8 KB). G is written past the
// caches, at a sixth less time if it begins with a cache line.
std::unique_ptr<PieceSum> make_tile_sums(const Layout& layout, std::span<const TileGroup> groups,
                                         bool by_senders);

}  // namespace compress
