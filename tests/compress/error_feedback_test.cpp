// Goal: nothing of an update is lost: it is sent or kept; and what is kept survives a kill.
// Method: sums value by value over several windows; files cut and changed at every place.
#include "compress/error_feedback.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "common/files.h"
#include "compress/sparseloco.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Window;
using testing::gaussian;

std::vector<float> copy(const ErrorFeedback& feedback) {
  return {feedback.values().begin(), feedback.values().end()};
}

TEST(ErrorFeedback, SentAndKeptAreAll) {
  const Layout layout = testing::layout_of({{100, 130}, {1, 300}});
  const SparseLoco codec;
  ErrorFeedback feedback(layout.parameter_count(), 0.95);
  for (uint64_t window = 0; window < 5; ++window) {
    const std::vector<float> before = copy(feedback);
    const std::vector<float> delta = gaussian(layout.parameter_count(), window);
    feedback.add(delta);
    const std::vector<float> all = copy(feedback);
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(all[i], 0.95f * before[i] + delta[i]);
    }
    const Update sent = *codec.decode(codec.encode(feedback.values(), layout), layout);
    feedback.subtract(sent, layout);
    const std::vector<float> sent_dense = testing::dense(sent, layout);
    size_t changed = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(feedback.values()[i], all[i] - sent_dense[i]);
      changed += feedback.values()[i] != all[i];
    }
    EXPECT_LE(changed, layout.kept_count());
    EXPECT_GE(changed, layout.kept_count() * 9 / 10);
  }
}

TEST(ErrorFeedback, WhatIsNeverSentIsSentInTheEnd) {
  // One large value and one small in a tile of which one is kept: the small one grows until it is
  // the larger.
  const Layout layout = testing::layout_of({{1, 4}}, 4, 1);
  const SparseLoco codec;
  ErrorFeedback feedback(4, 1.0);
  double sent_small = 0;
  for (int window = 0; window < 40; ++window) {
    feedback.add(std::vector<float>{1.0f, 0.1f, 0, 0});
    const Update sent = *codec.decode(codec.encode(feedback.values(), layout), layout);
    feedback.subtract(sent, layout);
    sent_small += testing::dense(sent, layout)[1];
  }
  EXPECT_NEAR(sent_small, 4.0, 1.1);
}

TEST(ErrorFeedback, ResetForgets) {
  ErrorFeedback feedback(3, 0.9);
  feedback.add(std::vector<float>{1, 2, 3});
  feedback.reset();
  EXPECT_EQ(copy(feedback), (std::vector<float>{0, 0, 0}));
}

TEST(ErrorFeedback, LookingAheadTakesWhatIsHeldBackFromTheta) {
  ErrorFeedback feedback(3, 0.9);
  feedback.add(std::vector<float>{1, -2, 0.25f});
  std::vector<float> theta{10, 10, 10};
  feedback.look_ahead(theta);
  EXPECT_EQ(theta, (std::vector<float>{9, 12, 9.75f}));
  EXPECT_EQ(copy(feedback), (std::vector<float>{1, -2, 0.25f}));
}

TEST(ErrorFeedbackDeathTest, AnotherSizeIsABug) {
  ErrorFeedback feedback(3, 0.9);
  std::vector<float> theta{1, 2};
  EXPECT_DEATH(feedback.add(theta), "CHECK failed");
  EXPECT_DEATH(feedback.look_ahead(theta), "CHECK failed");
}

class ErrorFeedbackFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / (std::string("compress_test_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    feedback_.add(gaussian(20, 5));
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file() const { return folder_ / "error_feedback"; }

  fs::path folder_;
  ErrorFeedback feedback_{20, 0.9};
};

TEST_F(ErrorFeedbackFile, LoadsWhatWasSaved) {
  ASSERT_TRUE(feedback_.save(file(), Window{77}));
  ErrorFeedback loaded(20, 0.9);
  const auto window = loaded.load(file());
  ASSERT_TRUE(window) << window.error().message;
  EXPECT_EQ(*window, Window{77});
  EXPECT_EQ(copy(loaded), copy(feedback_));
}

TEST_F(ErrorFeedbackFile, AnAbsentFileIsNotFound) {
  EXPECT_EQ(feedback_.load(file()).error().code, Code::kNotFound);
}

TEST_F(ErrorFeedbackFile, AnotherModelsFileIsCorrupt) {
  ASSERT_TRUE(feedback_.save(file(), Window{1}));
  for (const uint64_t count : {0, 19, 21}) {
    EXPECT_EQ(ErrorFeedback(count, 0.9).load(file()).error().code, Code::kCorrupt) << count;
  }
}

TEST_F(ErrorFeedbackFile, EveryTornOrChangedFileIsCorruptAndChangesNothing) {
  ASSERT_TRUE(feedback_.save(file(), Window{1}));
  const Bytes whole = *common::read_file(file(), 1000);
  ErrorFeedback other(20, 0.9);
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(common::write_file(file(), ByteView(whole).first(size)));
    ASSERT_EQ(other.load(file()).error().code, Code::kCorrupt) << size;
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    Bytes changed = whole;
    changed[i] = static_cast<uint8_t>(changed[i] ^ 0x40);
    ASSERT_TRUE(common::write_file(file(), changed));
    ASSERT_EQ(other.load(file()).error().code, Code::kCorrupt) << i;
  }
  EXPECT_EQ(copy(other), std::vector<float>(20, 0.0f));
}

TEST_F(ErrorFeedbackFile, AKillWhileSavingLeavesTheOldState) {
  ASSERT_TRUE(feedback_.save(file(), Window{1}));
  // What a kill leaves behind: half of a new file under another name, for the old name is only ever
  // renamed to.
  const Bytes whole = *common::read_file(file(), 1000);
  ASSERT_TRUE(common::write_file(folder_ / "error_feedback.tmp", ByteView(whole).first(50)));
  ErrorFeedback loaded(20, 0.9);
  EXPECT_EQ(*loaded.load(file()), Window{1});
  ASSERT_TRUE(loaded.save(file(), Window{2}));
  EXPECT_EQ(*loaded.load(file()), Window{2});
}

TEST_F(ErrorFeedbackFile, AFailedSaveLeavesTheOldState) {
  ASSERT_TRUE(feedback_.save(file(), Window{1}));
  EXPECT_FALSE(feedback_.save(file() / "below_a_file", Window{2}));
  EXPECT_EQ(*feedback_.load(file()), Window{1});
}

}  // namespace
}  // namespace compress
