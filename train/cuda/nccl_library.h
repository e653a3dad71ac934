// The functions of NCCL that we call, of a library that is opened at run time; for
// train/cuda/nccl_hub.h and nccl_calls.h, which say what they ask of it.
#pragma once

#include <nccl.h>

#include "common/result.h"

namespace train::cuda {

struct NcclLibrary {
  using Comm = ncclComm_t;
  using Stream = cudaStream_t;
  using Status = ncclResult_t;
  using Id = ncclUniqueId;
  static constexpr Status kSuccess = ncclSuccess;
  static constexpr Status kInProgress = ncclInProgress;
  static constexpr ncclDataType_t kBytes = ncclUint8;
  static constexpr ncclDataType_t kFloats = ncclFloat32;
  static constexpr ncclRedOp_t kSum = ncclSum;

  decltype(&ncclGetUniqueId) make_id;
  decltype(&ncclCommInitRankConfig) init_with;
  decltype(&ncclCommAbort) abort;
  decltype(&ncclCommGetAsyncError) async_error;
  decltype(&ncclGetErrorString) error_string;
  decltype(&ncclGetLastError) last_error;
  decltype(&ncclGroupStart) group_start;
  decltype(&ncclGroupEnd) group_end;
  decltype(&ncclAllReduce) all_reduce;
  decltype(&ncclReduceScatter) reduce_scatter;
  decltype(&ncclReduce) reduce;
  decltype(&ncclAllGather) all_gather;
  decltype(&ncclBroadcast) broadcast;

  // Of which no call blocks, but abort.
  Status init(Comm* comm, int ranks, Id id, int rank) const;

  // Looks where the loader does, and then where the toolkit was when this was built. It stays open.
  // kUnavailable: it is not there, or older than 2.19, whose abort is the first that may be called
  // by another thread than the one that waits.
  static common::Result<NcclLibrary> open();
};

}  // namespace train::cuda
