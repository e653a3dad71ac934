// Goal: after a kill at any moment either the new window stands whole, or the one before as it was.
// Method: every state of the folder that a kill between two writes leaves; then real kills of a
// real process.
#include "miner/journal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.h"
#include "common/philox.h"
#include "tests/temp_folder.h"
#include "train/backend.h"
#include "train/model.h"
#include "train/optimiser_state.h"

namespace miner {
namespace {

namespace fs = std::filesystem;

using common::Bytes;
using common::Code;
using common::Window;

// Big enough that a write takes a while.
constexpr uint32_t kSide = 128;

compress::Layout layout() { return {{{.name = "w", .rows = kSide, .cols = kSide}}, 64, 8}; }

common::InnerParams inner() {
  return {.steps = 1,
          .sequences_per_step = 1,
          .optimiser = "adamw",
          .learning_rate = 0.1,
          .warmup_windows = 0,
          .decay_windows = 10,
          .final_ratio = 0.1,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .epsilon = 1e-8,
          .weight_decay = 0.1,
          .gradient_clip = 0};
}

// All that is committed in a window, different in each.
struct State {
  explicit State(uint64_t window)
      : contribution(20'000, static_cast<uint8_t>(window)),
        feedback(layout().parameter_count(), 1.0) {
    if (window == 0) return;
    std::vector<float> values(layout().parameter_count(), static_cast<float>(window));
    feedback.add(values);
    std::vector<float> theta(values.size());
    optimiser->step(theta.data(), values.data(), 0.1, 1.0);
    sealed.window = {window};
    sealed.sealed_size = contribution.size();
    sealed.sealed_root = train::sealed_root(contribution);
    sealed.claim = {1, static_cast<uint8_t>(window)};
    sealed.receipt = {2};
    sealed.key = {3};
  }
  // As bytes, so that two can be compared.
  Bytes optimiser_bytes(const fs::path& scratch) const {
    EXPECT_TRUE(train::save_optimiser(*optimiser, scratch, {1}));
    return *common::read_file(scratch, 1 << 20);
  }
  Bytes contribution;
  compress::ErrorFeedback feedback;
  std::unique_ptr<train::Backend> backend = *train::make_backend("cpu", 1);
  std::unique_ptr<train::Optimiser> optimiser = train::make_optimiser(layout(), inner(), *backend);
  train::Sealed sealed;
};

class JournalTest : public testing::Test {
 protected:
  JournalTest() { fs::create_directory(folder()); }
  fs::path folder() const { return temp_ / "journal"; }
  common::Result<void> commit(uint64_t window) {
    const State state(window);
    const Journal journal(folder());
    TRY(common::FileWriter file, journal.contribution_file({window}));
    TRY_VOID(file.append(state.contribution));
    TRY_VOID(file.commit());
    return Journal(folder()).commit(state.sealed, state.feedback, *state.optimiser);
  }
  // Nothing is there, or exactly one window's state; its number, 0 for none.
  uint64_t standing() {
    const Journal journal(folder());
    State found(0);
    const auto window = journal.restore(found.feedback, *found.optimiser);
    EXPECT_TRUE(window) << window.error().message;
    if (!window) return ~uint64_t{0};
    const uint64_t index = *window ? (*window)->index : 0;
    const State expected(index);
    EXPECT_TRUE(std::equal(found.feedback.values().begin(), found.feedback.values().end(),
                           expected.feedback.values().begin()));
    EXPECT_EQ(found.optimiser_bytes(temp_ / "a"), expected.optimiser_bytes(temp_ / "b"));
    if (index > 0) {
      const auto sealed = journal.sealed({index}, 2);
      EXPECT_TRUE(sealed && sealed->serialise() == expected.sealed.serialise());
      const auto contribution = journal.contribution({index});
      EXPECT_TRUE(contribution);
      if (contribution) {
        EXPECT_EQ(*common::read_all(*contribution, 1 << 20), expected.contribution);
      }
    }
    return index;
  }
  size_t files() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder()), fs::directory_iterator()));
  }
  tests::TempFolder temp_;
};

TEST_F(JournalTest, KeepsTheNewestWindowOnly) {
  EXPECT_EQ(standing(), 0U);
  EXPECT_EQ(Journal(folder()).sealed({1}, 1).error().code, Code::kNotFound);
  for (const uint64_t window : {1U, 2U, 10U}) {
    ASSERT_TRUE(commit(window));
    EXPECT_EQ(standing(), window);
    EXPECT_EQ(files(), 4U);
  }
  EXPECT_EQ(Journal(folder()).sealed({2}, 1).error().code, Code::kNotFound);
}

// A network that began anew counts from 0 again: what is left of the old one must not come back.
TEST_F(JournalTest, ALowerWindowReplacesAHigherOne) {
  ASSERT_TRUE(commit(500));
  ASSERT_TRUE(commit(3));
  EXPECT_EQ(standing(), 3U);
  EXPECT_EQ(files(), 4U);
}

TEST_F(JournalTest, BetweenAnyTwoWritesOneWindowStandsWhole) {
  ASSERT_TRUE(commit(1));
  const fs::path before = temp_ / "before";
  fs::copy(folder(), before);
  ASSERT_TRUE(commit(2));
  const fs::path after = temp_ / "after";
  fs::copy(folder(), after);
  const auto put = [&](std::initializer_list<const char*> old,
                       std::initializer_list<const char*> fresh) {
    fs::remove_all(folder());
    fs::create_directory(folder());
    for (const char* name : old) fs::copy_file(before / name, folder() / name);
    for (const char* name : fresh) fs::copy_file(after / name, folder() / name);
    return standing();
  };
  const auto first = {"contribution.1", "feedback.1", "optimiser.1", "sealed.1"};
  const auto second = {"contribution.2", "feedback.2", "optimiser.2", "sealed.2"};
  EXPECT_EQ(put(first, {"contribution.2"}), 1U);
  EXPECT_EQ(put(first, {"contribution.2", "feedback.2"}), 1U);
  EXPECT_EQ(put(first, {"contribution.2", "feedback.2", "optimiser.2"}), 1U);
  EXPECT_EQ(put(first, second), 2U);
  EXPECT_EQ(put({"sealed.1"}, second), 2U);
  EXPECT_EQ(put({"feedback.1"}, second), 2U);
  EXPECT_EQ(put({"contribution.1"}, second), 2U);
  EXPECT_EQ(put({}, {"contribution.2", "feedback.2", "optimiser.2"}), 0U);
}

TEST_F(JournalTest, KillsAtAnyMomentLeaveOneWindowWhole) {
  common::Philox random(7);
  uint64_t last = 0;
  uint64_t life_us = 10'000;  // Of a child; so that about one kill in two is between commits.
  for (int round = 0; round < 25; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (uint64_t window = last + 1;; ++window) {
        if (!commit(window)) _exit(1);
      }
    }
    usleep(static_cast<useconds_t>(random.below(life_us)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "a commit failed";
    const uint64_t now = standing();
    ASSERT_GE(now, last);
    life_us = now > last + 2 ? life_us / 2 : now == last ? life_us * 3 / 2 : life_us;
    last = now;
  }
  EXPECT_GT(last, 3U) << "no kill came between commits";
  // Whatever the kills left behind goes with the next commit.
  ASSERT_TRUE(commit(last + 1));
  EXPECT_EQ(files(), 4U);
}

// Killed while it seals: what it wrote is as large as a contribution, and must not pile up.
TEST_F(JournalTest, AHalfWrittenContributionIsGoneWhenTheNextBegins) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto file = Journal(folder()).contribution_file({1});
    if (!file || !file->append(Bytes(1000))) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(standing(), 0U);
  const auto file = Journal(folder()).contribution_file({2});
  ASSERT_TRUE(file);
  EXPECT_EQ(files(), 1U);  // The new one, so far.
}

using JournalDeathTest = JournalTest;

TEST_F(JournalDeathTest, AWindowHasOneContribution) {
  ASSERT_TRUE(commit(4));
  EXPECT_DEATH(static_cast<void>(Journal(folder()).contribution_file({4})), "one contribution");
  const State state(5);
  EXPECT_DEATH(
      static_cast<void>(Journal(folder()).commit(state.sealed, state.feedback, *state.optimiser)),
      "CHECK failed");
}

TEST_F(JournalTest, DamageIsSaidNotUsed) {
  ASSERT_TRUE(commit(4));
  const Journal journal(folder());
  for (const char* name : {"contribution.4", "sealed.4", "feedback.4", "optimiser.4"}) {
    const Bytes whole = *common::read_file(folder() / name, 1 << 20);
    Bytes changed = whole;
    changed[changed.size() / 2] ^= 1;
    ASSERT_TRUE(common::write_file(folder() / name, changed));
    if (name == std::string("sealed.4") || name == std::string("contribution.4")) {
      const auto sealed = journal.sealed({4}, 1);
      EXPECT_EQ(sealed.error().code, Code::kCorrupt);
      EXPECT_NE(sealed.error().message.find(name), std::string::npos);
    } else {
      State state(0);
      const auto restored = journal.restore(state.feedback, *state.optimiser);
      EXPECT_EQ(restored.error().code, Code::kCorrupt);
      EXPECT_NE(restored.error().message.find(name), std::string::npos);
    }
    ASSERT_TRUE(common::write_file(folder() / name, whole));
  }
  EXPECT_EQ(standing(), 4U);
  // A contribution that was cut, or is gone.
  fs::resize_file(folder() / "contribution.4", 19'999);
  EXPECT_EQ(journal.sealed({4}, 1).error().code, Code::kCorrupt);
  fs::remove(folder() / "contribution.4");
  EXPECT_EQ(journal.sealed({4}, 1).error().code, Code::kCorrupt);
  // One window's file under another's name.
  fs::copy_file(folder() / "sealed.4", folder() / "sealed.3");
  EXPECT_EQ(journal.sealed({3}, 1).error().code, Code::kCorrupt);
}

// As the error about a damaged one says.
TEST_F(JournalTest, WithoutTheOptimisersFileItGoesOnWithAFreshOne) {
  ASSERT_TRUE(commit(4));
  fs::remove(folder() / "optimiser.4");
  State found(3);
  const auto window = Journal(folder()).restore(found.feedback, *found.optimiser);
  ASSERT_TRUE(window) << window.error().message;
  EXPECT_EQ((*window)->index, 4U);
  EXPECT_EQ(found.feedback.values()[0], State(4).feedback.values()[0]);
  EXPECT_EQ(found.optimiser_bytes(temp_ / "a"), State(0).optimiser_bytes(temp_ / "b"));
}

TEST_F(JournalTest, AFolderThatCannotBeReadIsNoFreshStart) {
  State state(0);
  EXPECT_EQ(Journal(temp_ / "nowhere").restore(state.feedback, *state.optimiser).error().code,
            Code::kIo);
}

// The sealed contribution holds the seal key: for nobody else's eyes.
TEST_F(JournalTest, TheSealKeyIsPrivate) {
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(fs::status(folder() / "sealed.1").permissions() & fs::perms(077), fs::perms::none);
}

}  // namespace
}  // namespace miner
