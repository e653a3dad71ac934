// Goal: the kernels wait wherever they must. Method: each thread of a block on its own, one running
// until it waits (tests/compress/cuda_fibers.h), in several orders, against the CPU's codec.
#include "tests/compress/cuda_fibers.h"

#include <gtest/gtest.h>

#include "compress/sparseloco.h"
#include "tests/compress/cuda_emulated.h"
#include "tests/compress/cuda_like_cpu.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COMPRESS_SANITIZED 1
#elif defined(__has_feature)
#define COMPRESS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define COMPRESS_SANITIZED 0
#endif

namespace compress {
namespace {

using testing::gaussian;
using testing::layout_of;
using testing::Order;

class CudaFibers : public ::testing::TestWithParam<Order> {
 protected:
  void SetUp() override {
    if (COMPRESS_SANITIZED) GTEST_SKIP() << "sanitizers do not follow swapcontext";
  }
  static std::unique_ptr<CudaCodec> codec_of(const Layout& layout) {
    return testing::codec_on_fibers(layout, GetParam(), all_pieces(*SparseLoco().format(layout)));
  }
};

TEST_P(CudaFibers, FeedbackIsTheCpus) {
  for (const uint32_t keep : {64u, 300u}) {
    const Layout layout = layout_of({{70, 130}, {1, 5000}}, 4096, keep);
    const auto codec = codec_of(layout);
    for (const uint32_t kind : {0u, 1u, 2u, 4u}) {
      EXPECT_TRUE(testing::feedback_is_the_cpus(
          *codec, layout, testing::of_kind(kind, layout.parameter_count(), kind),
          gaussian(layout.parameter_count(), 9)))
          << keep << " kind " << kind;
    }
  }
}

TEST_P(CudaFibers, JudgementsAreTheCpus) {
  for (const uint32_t keep : {5u, 64u}) {
    const Layout layout = layout_of({{300, 330}, {1, 9000}, {9, 3}}, keep == 5 ? 64 : 4096, keep);
    const auto codec = codec_of(layout);
    for (const uint32_t kind : {0u, 1u, 3u}) {
      Bytes body =
          SparseLoco().encode(testing::of_kind(kind, layout.parameter_count(), kind), layout);
      EXPECT_EQ(testing::judges_as_the_cpu(*codec, layout, body), Verdict::kAccepted);
      body[body.size() / 2] ^= 4;
      EXPECT_TRUE(testing::judges_as_the_cpu(*codec, layout, body));
    }
  }
}

TEST_P(CudaFibers, SumsAndTrialsAreTheCpus) {
  for (const uint32_t keep : {64u, 130u}) {
    const Layout layout = layout_of({{70, 130}, {1, 5000}, {3, 9}}, 4096, keep);
    const auto codec = codec_of(layout);
    EXPECT_TRUE(testing::sums_are_the_cpus(*codec, layout, 11, "senders", "average"));
    EXPECT_TRUE(testing::trial_is_the_cpus(*codec, layout, 11));
  }
}

INSTANTIATE_TEST_SUITE_P(All, CudaFibers,
                         ::testing::Values(Order::kAscending, Order::kDescending, Order::kMixed));

TEST(CudaFibersDeathTest, ABarrierThatNotAllReachIsFound) {
  if (COMPRESS_SANITIZED) GTEST_SKIP() << "sanitizers do not follow swapcontext";
  tests::Barrier barrier{32};
  const auto in_order = [](uint32_t i) { return i; };
  EXPECT_DEATH(tests::Fibers::run(32, in_order,
                                  [&](uint32_t t) {
                                    if (t > 0) tests::Fibers::wait(barrier);
                                  }),
               "wait at a barrier that others do not reach");
}

}  // namespace
}  // namespace compress
