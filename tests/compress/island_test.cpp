// Goal: the aggregate and the outer step give the same bits for ever, everywhere.
// Method: one root a codec, committed in golden/island.txt; here with every instruction set of this
// machine, on one thread and two. island_bits.sh computes it with other compilers and flags as
// well, and writes the file:
//
//   tests/compress/island_bits.sh . write
#include "tests/compress/island.h"

#include <gtest/gtest.h>

#include "tests/compress/golden.h"
#include "tests/compress/stored.h"
#include "tests/compress/targets.h"

namespace compress {
namespace {

class Island : public ::testing::TestWithParam<std::string> {};

TEST_P(Island, GivesTheCommittedBits) {
  const auto committed = testing::golden("island.txt").at(GetParam());
  ASSERT_EQ(committed.size(), 1u);
  testing::on_every_target([&] {
    EXPECT_EQ(testing::island_root(GetParam(), 1), committed[0]);
    EXPECT_EQ(testing::island_root(GetParam(), 2), committed[0]);
  });
}

INSTANTIATE_TEST_SUITE_P(All, Island, ::testing::ValuesIn(testing::kCodecNames),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace compress
