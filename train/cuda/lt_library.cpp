#include "train/cuda/lt_library.h"

#include <dlfcn.h>

#include <string>

namespace train::cuda {
namespace {

// cuBLAS 13: what cublasLt.h is of.
constexpr const char* kName = "libcublasLt.so.13";
static_assert(CUBLAS_VER_MAJOR == 13);

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

common::Result<LtLibrary> LtLibrary::open() {
  const auto unavailable = [] {
    const char* const why = dlerror();
    return common::Error{common::Code::kUnavailable,
                         "cuBLASLt, of CUDA 13, cannot be loaded: " +
                             std::string(why == nullptr ? "no reason given" : why)};
  };
  void* library = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) library = dlopen(MUSTER_CUDA_LIBRARIES "/libcublasLt.so.13", RTLD_NOW);
  if (library == nullptr) return unavailable();
  LtLibrary lt{};
  const bool complete = find(library, "cublasLtCreate", lt.create) &&
                        find(library, "cublasLtDestroy", lt.destroy) &&
                        find(library, "cublasLtGetStatusString", lt.status_string) &&
                        find(library, "cublasLtMatmul", lt.matmul) &&
                        find(library, "cublasLtMatmulAlgoGetHeuristic", lt.choose) &&
                        find(library, "cublasLtMatmulDescCreate", lt.desc_create) &&
                        find(library, "cublasLtMatmulDescDestroy", lt.desc_destroy) &&
                        find(library, "cublasLtMatmulDescSetAttribute", lt.desc_set) &&
                        find(library, "cublasLtMatrixLayoutCreate", lt.layout_create) &&
                        find(library, "cublasLtMatrixLayoutDestroy", lt.layout_destroy) &&
                        find(library, "cublasLtMatmulPreferenceCreate", lt.preference_create) &&
                        find(library, "cublasLtMatmulPreferenceDestroy", lt.preference_destroy) &&
                        find(library, "cublasLtMatmulPreferenceSetAttribute", lt.preference_set);
  if (!complete) return unavailable();
  return lt;
}

}  // namespace train::cuda
