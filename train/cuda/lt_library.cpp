#include "train/cuda/lt_library.h"

#include <string>

#include "train/cuda/shared_library.h"

namespace train::cuda {
namespace {

// cuBLAS 13: what cublasLt.h is of.
constexpr const char* kName = "libcublasLt.so.13";
static_assert(CUBLAS_VER_MAJOR == 13);

}  // namespace

common::Result<LtLibrary> LtLibrary::open() {
  const auto unavailable = [] {
    return common::Error{common::Code::kUnavailable,
                         "cuBLASLt, of CUDA 13, cannot be loaded: " + SharedLibrary::trouble()};
  };
  const SharedLibrary library(kName, MUSTER_CUDA_LIBRARIES);
  if (!library.is_open()) return unavailable();
  LtLibrary lt{};
  const bool complete = library.find("cublasLtCreate", lt.create) &&
                        library.find("cublasLtDestroy", lt.destroy) &&
                        library.find("cublasLtGetStatusString", lt.status_string) &&
                        library.find("cublasLtMatmul", lt.matmul) &&
                        library.find("cublasLtMatmulAlgoGetHeuristic", lt.choose) &&
                        library.find("cublasLtMatmulDescCreate", lt.desc_create) &&
                        library.find("cublasLtMatmulDescDestroy", lt.desc_destroy) &&
                        library.find("cublasLtMatmulDescSetAttribute", lt.desc_set) &&
                        library.find("cublasLtMatrixLayoutCreate", lt.layout_create) &&
                        library.find("cublasLtMatrixLayoutDestroy", lt.layout_destroy) &&
                        library.find("cublasLtMatmulPreferenceCreate", lt.preference_create) &&
                        library.find("cublasLtMatmulPreferenceDestroy", lt.preference_destroy) &&
                        library.find("cublasLtMatmulPreferenceSetAttribute", lt.preference_set);
  if (!complete) return unavailable();
  return lt;
}

}  // namespace train::cuda
