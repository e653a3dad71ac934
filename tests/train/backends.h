// One suite, every backend: a machine without a GPU skips that row, and says why.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "train/cpu/backend.h"
#include "train/cuda/backend.h"

namespace train {

// "cpu_fp32", "cpu_bf16", "cuda_fp32", "cuda_bf16".
class BackendTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    backend_ = make(2);
    if (backend_ == nullptr) GTEST_SKIP() << why_not_;
  }

  // Null, with the reason in why_not_, where this machine has no such device.
  std::unique_ptr<Backend> make(int threads) {
    if (GetParam() == "cpu_fp32") return make_cpu_backend(threads, Precision::kFp32);
    if (GetParam() == "cpu_bf16") return make_cpu_backend(threads, Precision::kBf16);
    const bool is_fp32 = GetParam() == "cuda_fp32";
    auto cuda = make_cuda_backend(0, is_fp32 ? Precision::kFp32 : Precision::kBf16);
    if (cuda) return std::move(cuda).value();
    why_not_ = cuda.error().message;
    return nullptr;
  }

  std::string why_not_;
  std::unique_ptr<Backend> backend_;
};

// Which of these run. A program of tests that is linked with tests/train/cuda_emulated.cpp has the
// emulated card under the card's names, and need not try the CPU again.
#ifdef MUSTER_EMULATED_CARD
#define MUSTER_FP32_ROWS "cuda_fp32"
#define MUSTER_ROWS "cuda_fp32", "cuda_bf16"
#else
#define MUSTER_FP32_ROWS "cpu_fp32", "cuda_fp32"
#define MUSTER_ROWS "cpu_fp32", "cpu_bf16", "cuda_fp32", "cuda_bf16"
#endif

// For suites whose tolerances are those of fp32,
#define MUSTER_EVERY_BACKEND(Suite)                                       \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::Values(MUSTER_FP32_ROWS), \
                           [](const auto& row) { return std::string(row.param); })
//   and for those that know both precisions.
#define MUSTER_EVERY_PRECISION(Suite)                                \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::Values(MUSTER_ROWS), \
                           [](const auto& row) { return std::string(row.param); })

}  // namespace train
