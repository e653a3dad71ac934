// Goal: a batch is what it says: targets are the next tokens, an end of document is learned, and
// the
//   document after it begins one position later.
// Method: runs short enough to write out.
#include "train/batch.h"

#include <gtest/gtest.h>

namespace train {
namespace {

using Tokens = std::vector<uint32_t>;

TEST(MakeBatch, TheEndOfADocumentIsATargetAndWhatFollowsBeginsAnother) {
  const std::vector<Tokens> runs = {{5, 6, 0, 7, 8}, {0, 0, 9, 9, 0}};
  const Batch batch = make_batch(runs, 0, true);
  EXPECT_EQ(batch.B, 2u);
  EXPECT_EQ(batch.T, 4u);
  EXPECT_EQ(batch.input, (Tokens{5, 6, 0, 7, 0, 0, 9, 9}));
  EXPECT_EQ(batch.target, (Tokens{6, 0, 7, 8, 0, 9, 9, 0}));
  EXPECT_EQ(batch.document_start, (Tokens{0, 0, 0, 3, 0, 1, 2, 2}));
}

TEST(MakeBatch, WithoutTheMaskEverythingIsOneDocument) {
  const std::vector<Tokens> runs = {{5, 0, 6, 0, 7}};
  EXPECT_EQ(make_batch(runs, 0, false).document_start, (Tokens{0, 0, 0, 0}));
}

TEST(MakeBatchDeathTest, RunsOfDifferentLengthsAreABug) {
  const std::vector<Tokens> runs = {{5, 0, 6}, {5, 0}};
  EXPECT_DEATH(make_batch(runs, 0, false), "CHECK failed");
}

}  // namespace
}  // namespace train
