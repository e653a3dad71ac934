// Goal: the aggregate and the outer step give the same bits for ever, everywhere.
// Method: one hash, committed. island_bits.sh computes it with other compilers and flags as well.
#include "tests/compress/island.h"

#include <gtest/gtest.h>

namespace compress {
namespace {

TEST(Island, GivesTheCommittedBits) {
  EXPECT_EQ(testing::island_hash(),
            "4eb2c5b54745eb0dce3eb9823cc97820f4816c9c82e2b2c2b779e732ed516767");
}

}  // namespace
}  // namespace compress
