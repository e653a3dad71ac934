// Goal: what goes wrong while a contribution is streamed is said, never hidden, and makes nobody
// guilty; and nothing looks further ahead than it may.
// Method: sources, sinks and makers that fail at every place, on several numbers of threads.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "compress/outer_step.h"
#include "compress/sparse_trial.h"
#include "tests/compress/stored.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using common::Code;
using testing::codec_of;
using testing::FailingSource;
using testing::gaussian;
using testing::layout_of;
using testing::outer_params;
using testing::Peers;
using testing::same_bits;
using testing::small_layout;

class StreamFaults : public ::testing::TestWithParam<std::string> {};

TEST_P(StreamFaults, ASourceThatFailsIsOurTroubleAtEveryPlace) {
  const Layout layout = small_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const Peers peers(*codec, *format, 1, 4);
  const Bytes& bytes = peers.bodies[0];
  size_t failed = 0;
  for (size_t bad = 0; bad < bytes.size(); bad += 3) {
    const FailingSource source(bytes, bad);
    const auto opened = StoredBody::open(source, 0, bytes.size(), *format);
    if (!opened) {
      EXPECT_EQ(opened.error().code, Code::kIo);
      ++failed;
      continue;
    }
    const StoredBody& body = **opened;
    EXPECT_EQ(judge_body(body, *format, 2).error().code, Code::kIo);
    std::vector<float> theta(layout.parameter_count(), 1.0f);
    const StoredContributor one{{1}, 1.0, &body, &peers.stored[0]->sums()};
    EXPECT_EQ(outer_step(theta, {&one, 1}, *format, outer_params(), 1, all_pieces(*format), 2)
                  .error()
                  .code,
              Code::kIo);
    ++failed;
  }
  EXPECT_GE(failed, bytes.size() / 3);
}

TEST_P(StreamFaults, AContributionThatChangedSinceIsNeverAppliedSilently) {
  const Layout layout = small_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  Peers peers(*codec, *format, 2, 4);
  std::fill_n(peers.bodies[1].begin(), peers.stored[1]->body().piece_size(0), uint8_t{0xFF});
  std::vector<float> theta(layout.parameter_count(), 1.0f);
  const std::vector<float> before = theta;
  const auto done =
      outer_step(theta, peers.on_disk(), *format, outer_params(), 1, all_pieces(*format), 1);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kCorrupt);
  EXPECT_NE(done.error().message.find("uid 36"), std::string::npos) << done.error().message;
  // A trial of it leaves no trace, either.
  const std::vector<float> scale(layout.tensors().size(), 1.0f);
  std::vector<float> tried = before;
  const auto trial = SparseTrial::put_on(tried, peers.stored[1]->body(), *format, scale, 1);
  ASSERT_FALSE(trial);
  EXPECT_EQ(trial.error().code, Code::kCorrupt);
  EXPECT_TRUE(same_bits(tried, before));
}

INSTANTIATE_TEST_SUITE_P(All, StreamFaults, ::testing::ValuesIn(testing::kCodecNames),
                         [](const auto& of) { return of.param; });

// A sink that takes so many appends.
class FailingSink : public common::ByteSink {
 public:
  explicit FailingSink(size_t good) : good_(good) {}
  common::Result<void> append(ByteView) override {
    if (good_-- > 0) return {};
    good_ = 0;
    return common::Error{Code::kExhausted, "the disk is full"};
  }

 private:
  size_t good_;
};

TEST(WritePieces, ASinkThatFailsEndsItOnAnyNumberOfThreads) {
  const Layout layout = layout_of({{1, 64 * 1024 * 9}}, 64, 1);  // Nine pieces, and a table.
  const auto format = codec_of("sparseloco")->format(layout);
  ASSERT_EQ(format->pieces().size(), 9u);
  const std::vector<float> values = gaussian(layout.parameter_count(), 1);
  for (const uint32_t threads : {1u, 2u, 6u}) {
    for (size_t good = 0; good < 10; ++good) {
      FailingSink sink(good);
      const auto maker = encode_from(*format, all_pieces(*format), values);
      const auto done = write_body(*format, maker, threads, sink);
      ASSERT_FALSE(done) << good;
      EXPECT_EQ(done.error().message, "the disk is full");
    }
  }
}

// Makes pieces of one size; counts those that are made and not yet written.
class CountedMaker : public PieceMaker {
 public:
  CountedMaker(std::atomic<int>& alive, std::atomic<int>& most, size_t bad, size_t size)
      : alive_(alive), most_(most), bad_(bad), size_(size) {}
  common::Result<void> make(size_t piece, Bytes& out) override {
    if (piece == bad_) return common::Error{Code::kIo, "piece cannot be made"};
    if (piece == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // All wait for it.
    out.assign(size_, static_cast<uint8_t>(piece));
    const int now = ++alive_;
    for (int most = most_; most < now && !most_.compare_exchange_weak(most, now);) {
    }
    return {};
  }

 private:
  std::atomic<int>& alive_;
  std::atomic<int>& most_;
  size_t bad_;
  size_t size_;
};

class CountingSink : public common::ByteSink {
 public:
  CountingSink(std::atomic<int>& alive, Bytes& order) : alive_(alive), order_(order) {}
  common::Result<void> append(ByteView bytes) override {
    order_.push_back(bytes[0]);
    --alive_;
    return {};
  }

 private:
  std::atomic<int>& alive_;
  Bytes& order_;
};

TEST(WritePieces, LooksAheadNoFurtherThanItSaysAndKeepsTheOrder) {
  const Layout layout = layout_of({{1, 64 * 1024 * 200}}, 64, 1);
  const auto format = codec_of("sparseloco")->format(layout);
  for (const uint32_t threads : {1u, 3u, 8u}) {
    std::atomic<int> alive = 0;
    std::atomic<int> most = 0;
    Bytes order;
    CountingSink sink(alive, order);
    const auto sizes = write_pieces(
        *format, all_pieces(*format),
        [&] { return std::make_unique<CountedMaker>(alive, most, ~size_t{0}, 1000); }, threads,
        sink);
    ASSERT_TRUE(sizes);
    EXPECT_EQ(*sizes, std::vector<uint32_t>(200, 1000));
    EXPECT_EQ(order.size(), 200u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_LE(most, static_cast<int>(4 * threads));
  }
}

TEST(WritePieces, AMakerThatFailsEndsIt) {
  const Layout layout = layout_of({{1, 64 * 1024 * 20}}, 64, 1);
  const auto format = codec_of("sparseloco")->format(layout);
  for (const uint32_t threads : {1u, 4u}) {
    for (const size_t bad : {0, 7, 19}) {
      std::atomic<int> alive = 0;
      std::atomic<int> most = 0;
      Bytes order;
      CountingSink sink(alive, order);
      const auto sizes = write_pieces(
          *format, all_pieces(*format),
          [&] { return std::make_unique<CountedMaker>(alive, most, bad, 1000); }, threads, sink);
      ASSERT_FALSE(sizes);
      EXPECT_EQ(sizes.error().message, "piece cannot be made");
      EXPECT_LE(order.size(), bad);
    }
  }
}

TEST(SparseTrialDeathTest, ATrialThatIsForgottenIsABug) {
  const Layout layout = small_layout();
  const auto codec = codec_of("sparseloco");
  const auto format = codec->format(layout);
  const Peers peers(*codec, *format, 1, 4);
  const std::vector<float> scale(layout.tensors().size(), 1.0f);
  std::vector<float> theta(layout.parameter_count());
  EXPECT_DEATH(
      static_cast<void>(SparseTrial::put_on(theta, peers.stored[0]->body(), *format, scale, 1)),
      "not taken off");
}

}  // namespace
}  // namespace compress
