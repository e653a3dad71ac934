#include "train/cuda/matrix_products.h"

#include <algorithm>
#include <compare>
#include <map>
#include <string>
#include <utility>

#include "train/cuda/lt_library.h"
#include "train/cuda/memory.h"

namespace train::cuda {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr uint32_t kAlignmentMax = 256;

cudaDataType type_of(Precision precision) {
  return precision == Precision::kBf16 ? CUDA_R_16BF : CUDA_R_32F;
}

// The largest power of two that divides the address, 256 at most.
uint32_t alignment_of(const void* data) {
  const auto address = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(data) | kAlignmentMax);
  return std::min(address & (~address + 1), kAlignmentMax);
}

// What a plan depends on. cuBLASLt counts columns first, so that for it our a is the right factor,
// and ours that are not transposed are not.
struct Shape {
  int M, N, K;
  bool a_transposed, b_transposed;
  Precision type, out_type;
  uint32_t a_alignment, b_alignment, addend_alignment, out_alignment;

  explicit Shape(const Product& of)
      : M(of.M),
        N(of.N),
        K(of.K),
        a_transposed(of.a_transposed),
        b_transposed(of.b_transposed),
        type(of.type),
        out_type(of.out_type),
        a_alignment(alignment_of(of.a)),
        b_alignment(alignment_of(of.b)),
        addend_alignment(alignment_of(of.keep == 0 ? of.out : of.addend)),
        out_alignment(alignment_of(of.out)) {}
  auto operator<=>(const Shape&) const = default;

  std::string text() const {
    return "a product of " + std::to_string(M) + " x " + std::to_string(K) + " by " +
           std::to_string(K) + " x " + std::to_string(N);
  }
};

// cuBLASLt's descriptions of a product and its chosen way.
struct Plan {
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t left = nullptr;
  cublasLtMatrixLayout_t right = nullptr;
  cublasLtMatrixLayout_t out = nullptr;
  cublasLtMatmulAlgo_t way{};
};

}  // namespace

struct MatrixProducts::Impl {
  LtLibrary lt;
  cudaStream_t stream;
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  void* workspace = nullptr;
  std::map<Shape, Plan> plans;

  ~Impl() {
    for (auto& [shape, plan] : plans) drop(plan);
    if (preference != nullptr) lt.preference_destroy(preference);
    if (handle != nullptr) lt.destroy(handle);
    static_cast<void>(cudaFree(workspace));
  }

  void drop(Plan& plan) const {
    for (const cublasLtMatrixLayout_t layout : {plan.left, plan.right, plan.out}) {
      if (layout != nullptr) lt.layout_destroy(layout);
    }
    if (plan.product != nullptr) lt.desc_destroy(plan.product);
  }

  template <typename T>
  cublasStatus_t prefer(cublasLtMatmulPreferenceAttributes_t what, T value) const {
    return lt.preference_set(preference, what, &value, sizeof(value));
  }

  cublasStatus_t describe(const Shape& of, Plan& plan) const {
    const auto layout = [&](cublasLtMatrixLayout_t& to, Precision type, int rows, int columns) {
      return lt.layout_create(&to, type_of(type), static_cast<uint64_t>(rows),
                              static_cast<uint64_t>(columns), rows);
    };
    const auto turn = [&](cublasLtMatmulDescAttributes_t which, bool transposed) {
      const int32_t operation = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
      return lt.desc_set(plan.product, which, &operation, sizeof(operation));
    };
    cublasStatus_t status = lt.desc_create(&plan.product, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    const auto then = [&status](auto act) {
      if (status == CUBLAS_STATUS_SUCCESS) status = act();
    };
    then([&] { return turn(CUBLASLT_MATMUL_DESC_TRANSA, of.b_transposed); });
    then([&] { return turn(CUBLASLT_MATMUL_DESC_TRANSB, of.a_transposed); });
    then([&] {
      return layout(plan.left, of.type, of.b_transposed ? of.K : of.N,
                    of.b_transposed ? of.N : of.K);
    });
    then([&] {
      return layout(plan.right, of.type, of.a_transposed ? of.M : of.K,
                    of.a_transposed ? of.K : of.M);
    });
    then([&] { return layout(plan.out, of.out_type, of.N, of.M); });
    return status;
  }

  cublasStatus_t choose(const Shape& of, Plan& plan) const {
    cublasStatus_t status = prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, of.b_alignment);
    const auto then = [&status](auto act) {
      if (status == CUBLAS_STATUS_SUCCESS) status = act();
    };
    then([&] { return prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, of.a_alignment); });
    then([&] { return prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, of.addend_alignment); });
    then([&] { return prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, of.out_alignment); });
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    then([&] {
      return lt.choose(handle, plan.product, plan.left, plan.right, plan.out, plan.out, preference,
                       1, &found, &count);
    });
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    if (count == 0) return CUBLAS_STATUS_NOT_SUPPORTED;
    plan.way = found.algo;
    return found.state;
  }

  Result<const Plan*> plan_of(const Shape& shape) {
    const auto [at, is_new] = plans.try_emplace(shape);
    if (!is_new) return &at->second;
    cublasStatus_t status = describe(shape, at->second);
    if (status == CUBLAS_STATUS_SUCCESS) status = choose(shape, at->second);
    if (status == CUBLAS_STATUS_SUCCESS) return &at->second;
    drop(at->second);
    plans.erase(at);
    return refused(shape, status);
  }

  Error refused(const Shape& shape, cublasStatus_t status) const {
    return {Code::kUnavailable, shape.text() + ": " + lt.status_string(status)};
  }
};

MatrixProducts::MatrixProducts(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MatrixProducts::~MatrixProducts() = default;

Result<std::unique_ptr<MatrixProducts>> MatrixProducts::make(cudaStream_t stream) {
  TRY(const LtLibrary lt, LtLibrary::open());
  auto impl = std::make_unique<Impl>();
  impl->lt = lt;
  impl->stream = stream;
  cublasStatus_t status = lt.create(&impl->handle);
  if (status == CUBLAS_STATUS_SUCCESS) status = lt.preference_create(&impl->preference);
  if (status == CUBLAS_STATUS_SUCCESS) {
    status =
        impl->prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{kProductWorkspaceBytes});
  }
  if (status == CUBLAS_STATUS_SUCCESS) {
    status = impl->prefer(
        CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE});
  }
  if (status != CUBLAS_STATUS_SUCCESS) {
    return Error{Code::kUnavailable,
                 std::string("cuBLASLt does not start: ") + lt.status_string(status)};
  }
  if (const cudaError_t error = cudaMalloc(&impl->workspace, kProductWorkspaceBytes);
      error != cudaSuccess) {
    return Error{Code::kUnavailable,
                 std::string("no memory for cuBLASLt: ") + cudaGetErrorString(error)};
  }
  return std::make_unique<MatrixProducts>(std::move(impl));
}

Result<void> MatrixProducts::multiply(const Product& product) {
  CHECK(product.M > 0 && product.N > 0 && product.K > 0);
  const Shape shape(product);
  TRY(const Plan* const plan, impl_->plan_of(shape));
  const void* const addend = product.keep == 0 ? product.out : product.addend;
  const cublasStatus_t status = impl_->lt.matmul(
      impl_->handle, plan->product, &product.scale, product.b, plan->left, product.a, plan->right,
      &product.keep, addend, plan->out, product.out, plan->out, &plan->way, impl_->workspace,
      kProductWorkspaceBytes, impl_->stream);
  if (status != CUBLAS_STATUS_SUCCESS) return impl_->refused(shape, status);
  return {};
}

}  // namespace train::cuda
