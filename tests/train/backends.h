// One suite, every backend: a machine without a GPU skips that row, and says why.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "train/cpu/backend.h"
#include "train/cuda/backend.h"

namespace train {

// "cpu_fp32", "cpu_bf16", "cuda".
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
    auto cuda = make_cuda_backend(0);
    if (cuda) return std::move(cuda).value();
    why_not_ = cuda.error().message;
    return nullptr;
  }

  std::string why_not_;
  std::unique_ptr<Backend> backend_;
};

// For suites whose tolerances are those of fp32,
#define MUSTER_EVERY_BACKEND(Suite)                                         \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::Values("cpu_fp32", "cuda"), \
                           [](const auto& row) { return std::string(row.param); })
//   and for those that know both precisions.
#define MUSTER_EVERY_PRECISION(Suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::Values("cpu_fp32", "cpu_bf16", "cuda"), \
                           [](const auto& row) { return std::string(row.param); })

}  // namespace train
