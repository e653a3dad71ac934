#include <algorithm>

#include "common/check.h"
#include "train/sharding.h"
#include "train/sharding/places.h"

namespace train {
namespace {

// The tensors of one piece, as a layout of their own.
compress::Layout layout_of(const compress::Layout& whole, Range piece) {
  std::vector<compress::Tensor> tensors;
  for (const compress::Tensor& tensor : whole.tensors()) {
    if (tensor.offset >= piece.first && tensor.offset < piece.end()) tensors.push_back(tensor);
  }
  return {std::move(tensors), compress::kTileMax, 1};
}

}  // namespace

Shares::Shares(const common::ModelParams& params, std::string_view optimiser, int ranks)
    : pieces_(params), ranks_(ranks) {
  CHECK(ranks > 0);
  const compress::Layout layout =
      parameter_layout(params, {.name = "", .tile = compress::kTileMax, .keep = 1});
  std::vector<uint64_t> ends(static_cast<size_t>(ranks));  // Of the shards so far.
  for (size_t piece = 0; piece < pieces_.count(); ++piece) {
    const Range whole = pieces_[piece];
    const auto ranges =
        split_parameters(layout_of(layout, whole), optimiser, static_cast<uint32_t>(ranks));
    for (size_t rank = 0; rank < ranges.size(); ++rank) {
      shares_.push_back({whole.first + ranges[rank].first, ranges[rank].size});
      sizes_.push_back(ranges[rank].size);
      offsets_.push_back(ends[rank]);
      ends[rank] += ranges[rank].size;
    }
  }
}

uint64_t Shares::size(int rank) const {
  const size_t last = pieces_.last();
  return offset(last, rank) + of(last, rank).size;
}

ShardedMemory sharded_memory(const Shares& shares, Sharding sharding, int rank) {
  const uint64_t whole = shares.pieces().parameter_count() * sizeof(float);
  const uint64_t shard = shares.size(rank) * sizeof(float);
  uint64_t places = 0;
  for (const uint64_t size : sharding::place_sizes(shares.pieces())) {
    places += size * sizeof(float);
  }
  const bool shards_theta = sharding >= Sharding::kParameters;
  const bool shards_gradient = sharding >= Sharding::kGradients;
  return {.theta = shards_theta ? shard : whole,
          .gradient = shards_gradient ? shard : whole,
          .moments = 2 * shard,
          .scratch = (shards_theta ? places : 0) + (shards_gradient ? places : 0)};
}

Batch part_of(const Batch& batch, int rank, int ranks) {
  const auto R = static_cast<uint32_t>(ranks);
  Batch part;
  part.T = batch.T;
  part.B = (batch.B + R - 1) / R;
  for (uint32_t i = 0; i < part.B; ++i) {
    const uint64_t sequence = uint64_t{part.B} * static_cast<uint32_t>(rank) + i;
    const bool is_there = sequence < batch.B;
    const auto add = [&](std::vector<uint32_t>& to, const std::vector<uint32_t>& from) {
      const auto first = from.begin() + static_cast<ptrdiff_t>((is_there ? sequence : 0) * batch.T);
      to.insert(to.end(), first, first + batch.T);
    };
    add(part.input, batch.input);
    add(part.document_start, batch.document_start);
    add(part.target, batch.target);
    if (!is_there) std::fill_n(part.target.end() - batch.T, batch.T, kNoTarget);
  }
  return part;
}

}  // namespace train
