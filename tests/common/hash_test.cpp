// Goal: digests are BLAKE2b's, and the Merkle tree cannot be confused.
// Method: RFC 7693's vector, and trees small enough to write out.
#include "common/hash.h"

#include <gtest/gtest.h>

namespace common {
namespace {

TEST(Hash, Blake2b512OfAbcIsTheOneOfRfc7693) {
  EXPECT_EQ(to_hex(blake2b<64>(view_of("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST(Hash, PiecesHashLikeTheWhole) {
  EXPECT_EQ(Hasher().update(view_of("ab")).update(view_of("c")).finish(),
            blake2b_256(view_of("abc")));
}

TEST(Hash, AMerkleRootCommitsToOrderAndCount) {
  const Hash a = blake2b_256(view_of("a"));
  const Hash b = blake2b_256(view_of("b"));
  const Hash ab[] = {a, b};
  const Hash ba[] = {b, a};
  const Hash abb[] = {a, b, b};
  EXPECT_NE(merkle_root(ab), merkle_root(ba));
  EXPECT_NE(merkle_root(ab), merkle_root(abb));
  EXPECT_EQ(merkle_root({}), blake2b_256({}));
}

}  // namespace
}  // namespace common
