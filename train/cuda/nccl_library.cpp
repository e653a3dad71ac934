#include "train/cuda/nccl_library.h"

#include <string>

#include "train/cuda/shared_library.h"

namespace train::cuda {
namespace {

using common::Code;
using common::Error;
using common::Result;

// NCCL 2: what nccl.h is of.
constexpr const char* kName = "libnccl.so.2";
static_assert(NCCL_MAJOR == 2);
constexpr int kVersionMin = NCCL_VERSION(2, 19, 0);
constexpr const char* kAdvice =
    "; install NVIDIA's libnccl2, 2.19 or later, or train on one card a process";

// "2.28.9"
std::string version_text(int version) {
  return std::to_string(version / 10'000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace

NcclLibrary::Status NcclLibrary::init(Comm* comm, int ranks, Id id, int rank) const {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  return init_with(comm, ranks, id, rank, &config);
}

Result<NcclLibrary> NcclLibrary::open() {
  const auto unavailable = [] {
    return Error{Code::kUnavailable,
                 "NCCL cannot be loaded: " + SharedLibrary::trouble() + kAdvice};
  };
  const SharedLibrary library(kName, MUSTER_NCCL_LIBRARIES);
  if (!library.is_open()) return unavailable();
  decltype(&ncclGetVersion) get_version = nullptr;
  NcclLibrary nccl{};
  const bool complete = library.find("ncclGetVersion", get_version) &&
                        library.find("ncclGetUniqueId", nccl.make_id) &&
                        library.find("ncclCommInitRankConfig", nccl.init_with) &&
                        library.find("ncclCommAbort", nccl.abort) &&
                        library.find("ncclCommGetAsyncError", nccl.async_error) &&
                        library.find("ncclGetErrorString", nccl.error_string) &&
                        library.find("ncclGetLastError", nccl.last_error) &&
                        library.find("ncclGroupStart", nccl.group_start) &&
                        library.find("ncclGroupEnd", nccl.group_end) &&
                        library.find("ncclAllReduce", nccl.all_reduce) &&
                        library.find("ncclReduceScatter", nccl.reduce_scatter) &&
                        library.find("ncclReduce", nccl.reduce) &&
                        library.find("ncclAllGather", nccl.all_gather) &&
                        library.find("ncclBroadcast", nccl.broadcast);
  if (!complete) return unavailable();
  int version = 0;
  if (get_version(&version) != ncclSuccess || version < kVersionMin) {
    return Error{Code::kUnavailable,
                 "NCCL " + version_text(version) + " is older than 2.19" + kAdvice};
  }
  return nccl;
}

}  // namespace train::cuda
