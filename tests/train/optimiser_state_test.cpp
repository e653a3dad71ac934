// Goal: an optimiser goes on after a restart with the same bits; a file that is not its own is
// refused with a sentence, and nothing has changed; a kill leaves the old file or the new one.
// Method: every optimiser, whole and in parts; every byte of a file damaged in turn; real kills of
// a real process.
#include "train/optimiser_state.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "tests/train/backends.h"
#include "tests/train/small_model.h"
#include "tests/train/step.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;

constexpr uint64_t kSizeMax = 1 << 24;

common::InnerParams inner_of(const std::string& kind) {
  common::InnerParams inner = small_inner();
  inner.optimiser = kind;
  return inner;
}

compress::Layout layout() { return parameter_layout(small_model(true), kCodec); }

std::vector<float> random_floats(uint64_t seed, size_t size) {
  common::Philox random(seed);
  std::vector<float> values;
  for (size_t i = 0; i < size; ++i) values.push_back(static_cast<float>(random.normal()));
  return values;
}

std::unique_ptr<Optimiser> trained(const std::string& kind, Backend& backend, int steps) {
  auto optimiser = make_optimiser(layout(), inner_of(kind), backend);
  std::vector<float> theta = random_floats(1, layout().parameter_count());
  for (int i = 0; i < steps; ++i) {
    take_step(*optimiser, theta, random_floats(static_cast<uint64_t>(10 + i), theta.size()), 0.1);
  }
  return optimiser;
}

// What the next step makes of the same parameters: tells two states apart.
std::vector<float> next_step(Optimiser& optimiser) {
  std::vector<float> theta = random_floats(2, optimiser.range().size);
  take_step(optimiser, theta, random_floats(3, theta.size()), 0.1);
  return theta;
}

class OptimiserStateTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
  tests::TempFolder folder_;
};

TEST_P(OptimiserStateTest, GoesOnAfterARestartWithTheSameBits) {
  const auto first = trained(GetParam(), *backend_, 3);
  ASSERT_TRUE(save_optimiser(*first, folder_ / "state", {9}));
  const auto second = make_optimiser(layout(), inner_of(GetParam()), *backend_);
  const auto window = load_optimiser(*second, folder_ / "state");
  ASSERT_TRUE(window) << window.error().message;
  EXPECT_EQ(window->index, 9U);
  EXPECT_EQ(second->state().steps, 3U);
  EXPECT_EQ(next_step(*first), next_step(*second));
  // Saved over, it is the new one.
  ASSERT_TRUE(save_optimiser(*first, folder_ / "state", {10}));
  EXPECT_EQ(load_optimiser(*second, folder_ / "state")->index, 10U);
  EXPECT_EQ(next_step(*first), next_step(*second));
}

TEST_P(OptimiserStateTest, AnyDamageIsRefusedAndChangesNothing) {
  const auto source = trained(GetParam(), *backend_, 2);
  ASSERT_TRUE(save_optimiser(*source, folder_ / "good", {1}));
  const Bytes good = common::read_file(folder_ / "good", kSizeMax).value();
  const auto optimiser = trained(GetParam(), *backend_, 5);
  ASSERT_TRUE(save_optimiser(*optimiser, folder_ / "before", {2}));
  const Bytes before = common::read_file(folder_ / "before", kSizeMax).value();
  const auto expect_refused = [&](const Bytes& bytes, const std::string& what) {
    ASSERT_TRUE(common::write_file(folder_ / "bad", bytes));
    const auto loaded = load_optimiser(*optimiser, folder_ / "bad");
    ASSERT_FALSE(loaded) << what;
    EXPECT_EQ(loaded.error().code, Code::kCorrupt) << what;
    EXPECT_NE(loaded.error().message.find((folder_ / "bad").string()), std::string::npos);
    EXPECT_NE(loaded.error().message.find("remove the file"), std::string::npos);
  };
  // Every byte of the header and the hash, some of the moments.
  for (size_t i = 0; i < good.size(); i += i < 100 || i + 40 > good.size() ? 1 : 211) {
    Bytes bad = good;
    bad[i] = static_cast<uint8_t>(bad[i] ^ 0x10);
    expect_refused(bad, "byte " + std::to_string(i));
  }
  expect_refused({}, "nothing");
  expect_refused({good.begin(), good.begin() + 50}, "half a header");
  expect_refused({good.begin(), good.end() - 1}, "cut short");
  Bytes longer = good;
  longer.push_back(0);
  expect_refused(longer, "too long");
  ASSERT_TRUE(save_optimiser(*optimiser, folder_ / "after", {2}));
  EXPECT_EQ(common::read_file(folder_ / "after", kSizeMax).value(), before);
  EXPECT_EQ(load_optimiser(*optimiser, folder_ / "none").error().code, Code::kNotFound);
}

TEST_P(OptimiserStateTest, AnotherModelsAnotherOptimisersAndAnotherRangesAreRefused) {
  const auto optimiser = trained(GetParam(), *backend_, 1);
  ASSERT_TRUE(save_optimiser(*optimiser, folder_ / "state", {1}));
  const auto refusal = [&](Optimiser& other) {
    const auto loaded = load_optimiser(other, folder_ / "state");
    EXPECT_FALSE(loaded);
    return loaded ? std::string() : loaded.error().message;
  };
  // As many parameters, in other shapes.
  common::ModelParams reshaped = small_model(true);
  reshaped.layers = 1;
  const auto of_model =
      make_optimiser(parameter_layout(reshaped, kCodec), inner_of(GetParam()), *backend_);
  EXPECT_NE(refusal(*of_model).find("another model"), std::string::npos);
  const std::string other_kind = GetParam() == "muon" ? "adamw" : "muon";
  const auto of_kind = make_optimiser(layout(), inner_of(other_kind), *backend_);
  EXPECT_NE(refusal(*of_kind).find("the optimiser '" + GetParam() + "', and the hparams say '" +
                                   other_kind + "'"),
            std::string::npos);
  const auto part = make_optimiser(layout(), inner_of(GetParam()), *backend_,
                                   split_parameters(layout(), GetParam(), 2)[1]);
  EXPECT_NE(refusal(*part).find("this machine keeps"), std::string::npos);
  ASSERT_TRUE(save_optimiser(*part, folder_ / "part", {4}));
  EXPECT_EQ(load_optimiser(*part, folder_ / "part")->index, 4U);
}

// version u32 1 | window | steps | N | m | v | hash: of this program's first version.
TEST_P(OptimiserStateTest, AFileOfTheFirstVersionIsRefused) {
  common::ByteWriter old;
  old.number(uint32_t{1}).number(uint64_t{3}).number(uint64_t{7});
  old.number(layout().parameter_count()).raw(Bytes(8 * layout().parameter_count()));
  old.raw(common::blake2b_256(old.bytes()).bytes);
  ASSERT_TRUE(common::write_file(folder_ / "old", old.bytes()));
  const auto optimiser = make_optimiser(layout(), inner_of(GetParam()), *backend_);
  const auto loaded = load_optimiser(*optimiser, folder_ / "old");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "optimiser state " + (folder_ / "old").string() +
                                        ": it is of version 1, and this program reads version 2; "
                                        "remove the file, and training goes on with a fresh "
                                        "optimiser");
}

TEST_P(OptimiserStateTest, AKillLeavesTheOldFileOrTheNewOne) {
  const auto file = folder_ / "state";
  common::Philox random(7);
  uint64_t seen = 0;
  for (int round = 0; round < 8; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto own = make_cpu_backend(1);
      const auto optimiser = trained(GetParam(), *own, 2);
      for (uint64_t window = seen + 1;; ++window) {
        if (!save_optimiser(*optimiser, file, {window})) _exit(1);
      }
    }
    usleep(static_cast<useconds_t>(10'000 + random.below(30'000)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "a save failed";
    const auto optimiser = make_optimiser(layout(), inner_of(GetParam()), *backend_);
    const auto loaded = load_optimiser(*optimiser, file);
    if (!loaded) {
      ASSERT_EQ(loaded.error().code, Code::kNotFound) << loaded.error().message;
      ASSERT_EQ(seen, 0U);
      continue;
    }
    EXPECT_GE(loaded->index, seen);
    EXPECT_EQ(optimiser->state().steps, 2U);
    seen = loaded->index;
  }
  EXPECT_GT(seen, 0U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OptimiserStateTest, testing::Values("adamw", "muon"),
                         [](const auto& row) { return row.param; });

}  // namespace
}  // namespace train
