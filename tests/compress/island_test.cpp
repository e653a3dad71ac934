// Goal: the aggregate and the outer step give the same bits for ever, everywhere.
// Method: one hash, committed. island_bits.sh computes it with other compilers and flags as well.
#include "tests/compress/island.h"

#include <gtest/gtest.h>

namespace compress {
namespace {

TEST(Island, GivesTheCommittedBits) {
  EXPECT_EQ(testing::island_hash(),
            "5a051b7cceca78cb7235e7533fe67af612561efa6f79d5f227beff39060d6c48");
}

}  // namespace
}  // namespace compress
