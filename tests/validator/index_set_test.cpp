// Goal: everybody compares the same pieces, of a small model all, of a large one enough; and an
// index set is where values were sent. Method: a model of each kind; the decoder's update.
#include "validator/index_set.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compress/sparseloco.h"
#include "tests/train/judged_body.h"
#include "tests/validator/small_network.h"
#include "tests/validator/support.h"

namespace validator {
namespace {

TEST(IndexSet, OfASmallModelHoldsAllThatWasSent) {
  SmallNetwork network;
  const Contribution work = network.noise({3}, {1}, 0.01F);
  const std::vector<size_t> pieces = compared_pieces(network.format(), digest(1));
  EXPECT_EQ(pieces.size(), network.format().pieces().size());
  const auto found = index_set(work.body->body(), network.format(), pieces);
  ASSERT_TRUE(found);
  IndexSet expected;
  const auto tensors = network.replica().layout().tensors();
  for (size_t t = 0; t < tensors.size(); ++t) {
    for (const uint32_t index : work.update.tensors[t].index) {
      expected.push_back(static_cast<uint32_t>(tensors[t].offset) + index);
    }
  }
  EXPECT_EQ(*found, expected);
}

TEST(ComparedPieces, OfALargeModelAreAFewThatTheSeedDecides) {
  const compress::Layout layout({{"a", 65536, 1024, 0}, {"b", 1, 5000, 0}}, 4096, 64);
  const auto format = compress::SparseLoco().format(layout);
  const std::vector<size_t> pieces = compared_pieces(*format, digest(1));
  EXPECT_TRUE(std::ranges::is_sorted(pieces));
  EXPECT_EQ(std::ranges::adjacent_find(pieces), pieces.end());
  uint64_t covered = 0;
  uint64_t largest = 0;
  for (const size_t piece : pieces) {
    covered += format->pieces()[piece].count;
    largest = std::max<uint64_t>(largest, format->pieces()[piece].count);
  }
  EXPECT_GE(covered, kComparedParameters);
  EXPECT_LT(covered, kComparedParameters + largest);
  EXPECT_EQ(pieces, compared_pieces(*format, digest(1)));
  EXPECT_NE(pieces, compared_pieces(*format, digest(2)));
}

}  // namespace
}  // namespace validator
