#include "train/communicator/collective.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace train {
namespace {

constexpr size_t kBlock = 4096;  // Values summed before they are written.

// What stands for a rank in what all ranks' sizes make up.
size_t first_of(const Collective& collective, size_t rank) {
  size_t first = 0;
  for (size_t r = 0; r < rank; ++r) first += collective.sizes_bytes[r];
  return first;
}

void copy(void* to, const void* from, size_t size_bytes) {
  if (size_bytes > 0 && to != from) std::memcpy(to, from, size_bytes);
}

// Visits blocks of the sums over ranks of values [first, first + size).
template <typename Visit>
void sums(std::span<const Collective> of_ranks, size_t first, size_t size, const Visit& visit) {
  std::array<float, kBlock> block;
  for (size_t at = first; at < first + size; at += kBlock) {
    const size_t count = std::min(kBlock, first + size - at);
    std::fill_n(block.begin(), count, 0.0F);
    for (const Collective& of : of_ranks) {
      const float* values = static_cast<const float*>(of.in) + at;
      for (size_t i = 0; i < count; ++i) block[i] += values[i];
    }
    visit(block.data(), at, count);
  }
}

void all_reduce(std::span<const Collective> of_ranks) {
  const size_t size = of_ranks.front().sizes_bytes.front() / sizeof(float);
  sums(of_ranks, 0, size, [&](const float* block, size_t at, size_t count) {
    for (const Collective& of : of_ranks) {
      copy(static_cast<float*>(of.out) + at, block, count * sizeof(float));
    }
  });
}

void reduce_scatter(std::span<const Collective> of_ranks) {
  for (size_t rank = 0; rank < of_ranks.size(); ++rank) {
    const Collective& of = of_ranks[rank];
    const size_t first = first_of(of, rank) / sizeof(float);
    sums(of_ranks, first, of.sizes_bytes[rank] / sizeof(float),
         [&](const float* block, size_t at, size_t count) {
           copy(static_cast<float*>(of.out) + at - first, block, count * sizeof(float));
         });
  }
}

void all_gather(std::span<const Collective> of_ranks) {
  for (const Collective& to : of_ranks) {
    for (size_t rank = 0; rank < of_ranks.size(); ++rank) {
      copy(static_cast<std::byte*>(to.out) + first_of(to, rank), of_ranks[rank].in,
           to.sizes_bytes[rank]);
    }
  }
}

void broadcast(std::span<const Collective> of_ranks) {
  const Collective& root = of_ranks[static_cast<size_t>(of_ranks.front().root)];
  for (const Collective& of : of_ranks) copy(of.out, root.in, of.sizes_bytes.front());
}

}  // namespace

void carry_out(std::span<const Collective> of_ranks) {
  switch (of_ranks.front().kind) {
    case Collective::Kind::kAllReduce:
      return all_reduce(of_ranks);
    case Collective::Kind::kReduceScatter:
      return reduce_scatter(of_ranks);
    case Collective::Kind::kAllGather:
      return all_gather(of_ranks);
    case Collective::Kind::kBroadcast:
      return broadcast(of_ranks);
    case Collective::Kind::kBarrier:
      return;
  }
}

}  // namespace train
