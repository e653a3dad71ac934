// A collective (train/communicator.h) as NCCL's calls.
//
// `Nccl` is train/cuda/nccl_library.h, or what stands for it in the tests.
#pragma once

#include <algorithm>
#include <cstddef>

#include "train/communicator.h"

namespace train::cuda {

// One rank's. Where all ranks have as much, one call does it; otherwise one of each rank's part, in
// a group, without those of nothing.
template <class Nccl>
class NcclCalls {
 public:
  using Comm = typename Nccl::Comm;
  using Stream = typename Nccl::Stream;
  using Status = typename Nccl::Status;

  NcclCalls(const Nccl& nccl, Comm comm, Stream stream, int rank)
      : nccl_(nccl), comm_(comm), stream_(stream), rank_(rank) {}

  // token: a value of the card's for ranks to add up that have nothing to say but that they are
  // here. The first status that is neither success nor in progress, or one that is.
  Status put(const Collective& what, float* token) const {
    using Kind = Collective::Kind;
    switch (what.kind) {
      case Kind::kAllReduce:
        return all_reduce(what.in, what.out, what.sizes_bytes.front());
      case Kind::kReduceScatter:
        return reduce_scatter(what);
      case Kind::kAllGather:
        return all_gather(what);
      case Kind::kBroadcast:
        return broadcast(what);
      case Kind::kBarrier:
        return all_reduce(token, token, sizeof(float));
    }
    return Nccl::kSuccess;
  }

 private:
  static bool failed(Status status) {
    return status != Nccl::kSuccess && status != Nccl::kInProgress;
  }
  static bool all_equal(const Collective& what) {
    return std::ranges::all_of(what.sizes_bytes,
                               [&](size_t size) { return size == what.sizes_bytes.front(); });
  }

  // call(rank, where its part begins, size of it), of what has a size; in bytes.
  template <typename Call>
  Status each_part(const Collective& what, const Call& call) const {
    Status status = nccl_.group_start();
    size_t first = 0;
    for (size_t rank = 0; rank < what.sizes_bytes.size() && !failed(status); ++rank) {
      const size_t size = what.sizes_bytes[rank];
      if (size > 0) status = call(static_cast<int>(rank), first, size);
      first += size;
    }
    // A group that was begun is to be ended, whatever happened in it.
    const Status ended = nccl_.group_end();
    return failed(status) ? status : ended;
  }

  Status all_reduce(const void* in, void* out, size_t size_bytes) const {
    if (size_bytes == 0) return Nccl::kSuccess;
    return nccl_.all_reduce(in, out, size_bytes / sizeof(float), Nccl::kFloats, Nccl::kSum, comm_,
                            stream_);
  }

  Status reduce_scatter(const Collective& what) const {
    const size_t mine = what.sizes_bytes[static_cast<size_t>(rank_)];
    if (all_equal(what)) {
      if (mine == 0) return Nccl::kSuccess;
      return nccl_.reduce_scatter(what.in, what.out, mine / sizeof(float), Nccl::kFloats,
                                  Nccl::kSum, comm_, stream_);
    }
    return each_part(what, [&](int rank, size_t first, size_t size) {
      return nccl_.reduce(static_cast<const std::byte*>(what.in) + first,
                          rank == rank_ ? what.out : nullptr, size / sizeof(float), Nccl::kFloats,
                          Nccl::kSum, rank, comm_, stream_);
    });
  }

  Status all_gather(const Collective& what) const {
    const size_t mine = what.sizes_bytes[static_cast<size_t>(rank_)];
    if (all_equal(what)) {
      if (mine == 0) return Nccl::kSuccess;
      return nccl_.all_gather(what.in, what.out, mine, Nccl::kBytes, comm_, stream_);
    }
    return each_part(what, [&](int rank, size_t first, size_t size) {
      std::byte* const to = static_cast<std::byte*>(what.out) + first;
      return nccl_.broadcast(rank == rank_ ? what.in : to, to, size, Nccl::kBytes, rank, comm_,
                             stream_);
    });
  }

  Status broadcast(const Collective& what) const {
    if (what.sizes_bytes.front() == 0) return Nccl::kSuccess;
    return nccl_.broadcast(what.in, what.out, what.sizes_bytes.front(), Nccl::kBytes, what.root,
                           comm_, stream_);
  }

  const Nccl& nccl_;
  Comm comm_;
  Stream stream_;
  int rank_;
};

}  // namespace train::cuda
