// Goal: the aggregate and the outer step give the same bits for ever, everywhere.
// Method: one hash, committed. island_bits.sh computes it with other compilers and flags as well.
#include "tests/compress/island.h"

#include <gtest/gtest.h>

namespace compress {
namespace {

TEST(Island, GivesTheCommittedBits) {
  EXPECT_EQ(testing::island_hash(),
            "d3e2bec4572c29bc48dd1eccd8ddc09dbbcbadb75d595899a26d1d2ef425dfe7");
}

}  // namespace
}  // namespace compress
