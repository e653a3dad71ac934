// Goal: the network's held-out loss is read off the evidence, also of windows before a restart.
// Method: hand-made evidence with the arithmetic in comments; a store that is closed and opened.
#include "validator/heldout.h"

#include <gtest/gtest.h>

#include "common/check.h"
#include "tests/temp_folder.h"
#include "tests/validator/support.h"

namespace validator {
namespace {

Evidence row(uint16_t uid, std::vector<uint64_t> samples, std::vector<double> before) {
  Evidence row{.uid = Uid{uid}};
  row.common = {.samples = std::move(samples), .before = before, .after = before};
  return row;
}

TEST(Heldout, EverySequenceCountsOnce) {
  // (3 + 5 + 10) / 3 = 6: sequence 7 was measured for both.
  const auto loss = heldout_loss(window_of(4, {row(1, {7, 9}, {3, 5}), row(2, {7, 8}, {3, 10})}));
  ASSERT_TRUE(loss);
  EXPECT_DOUBLE_EQ(*loss, 6.0);
}

TEST(Heldout, NothingMeasuredIsNothingSaid) {
  EXPECT_FALSE(heldout_loss(window_of(4, {})));
  EXPECT_FALSE(heldout_loss(window_of(4, {failed(1, Verdict::kMissing)})));
}

TEST(Heldout, TheHistorySurvivesARestart) {
  const tests::TempFolder folder;
  const common::Hparams hparams = tiny_hparams();
  std::vector<std::pair<uint64_t, double>> expected;
  {
    auto store = ScoreStore::open(folder.path(), hparams, ScoreStore::Mode::kReadWrite);
    ASSERT_TRUE(store);
    EXPECT_TRUE(heldout_history(*store).empty());
    for (const uint64_t window : {2, 3, 7}) {
      const WindowEvidence evidence = random_window(window, 4, 1);
      ASSERT_TRUE(store->append(evidence));
      expected.emplace_back(window, heldout_loss(evidence).value());
    }
    // A window in which nobody was measured has no loss.
    ASSERT_TRUE(store->append(window_of(8, {failed(0, Verdict::kMissing)})));
  }
  const auto store = ScoreStore::open(folder.path(), hparams, ScoreStore::Mode::kReadWrite);
  ASSERT_TRUE(store);
  EXPECT_EQ(heldout_history(*store), expected);
}

}  // namespace
}  // namespace validator
