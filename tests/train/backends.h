// One suite, every backend: a machine without a GPU skips that row, and says why.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "train/cpu/backend.h"
#include "train/cuda/backend.h"

namespace train {

class BackendTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "cpu") {
      backend_ = make_cpu_backend(2);
    } else if (auto cuda = make_cuda_backend(0)) {
      backend_ = std::move(cuda).value();
    } else {
      GTEST_SKIP() << cuda.error().message;
    }
  }

  std::unique_ptr<Backend> backend_;
};

#define MUSTER_EVERY_BACKEND(Suite)                                    \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::Values("cpu", "cuda"), \
                           [](const auto& row) { return std::string(row.param); })

}  // namespace train
