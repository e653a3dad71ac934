// Goal: what a miner keeps on its disk comes back whole, and opens with its own key to what was
// sealed. Method: there and back; every cut and every changed byte.
#include "train/sealed.h"

#include <gtest/gtest.h>

#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;

TEST(Sealed, OpensByItsOwnKeyAndClaim) {
  const SmallSubnet subnet(1);
  const Work work = subnet.work(0, {5}, digest(1));
  const Origin origin = subnet.origin(0, {5});
  const auto [sealed, contribution] =
      make_sealed(work.plain, work.receipt, origin, digest(1), key_of(0));
  const auto claim = open_claim(sealed.claim, origin).message;
  const auto key = open_key(sealed.key, origin).message;
  ASSERT_TRUE(claim && key);
  EXPECT_EQ(claim->sealed_root, sealed_root(contribution));
  EXPECT_EQ(claim->sealed_size, contribution.size());
  EXPECT_EQ(claim->plain_hash,
            common::blake2b_256_keyed(key->key, common::tree_hash(work.plain).bytes));
  EXPECT_EQ(sealed.sealed_root, claim->sealed_root);
  EXPECT_EQ(sealed.sealed_size, claim->sealed_size);
  EXPECT_EQ(claim->base_root, digest(1));
  EXPECT_EQ(unseal(contribution, key->key), work.plain);
  EXPECT_EQ(sealed.receipt, work.receipt.serialise());
  // A key is of one window only.
  const auto again = make_sealed(work.plain, work.receipt, origin, digest(1), key_of(0));
  EXPECT_NE(open_key(again.sealed.key, origin).message->key, key->key);
}

TEST(Sealed, ComesBackFromTheDiskWholeOrNotAtAll) {
  const SmallSubnet subnet(1);
  const Sealed sealed = subnet.work(0, {5}, digest(1)).sealed;
  const Bytes bytes = sealed.serialise();
  const auto parsed = Sealed::parse(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->window, Window{5});
  EXPECT_EQ(parsed->sealed_size, sealed.sealed_size);
  EXPECT_EQ(parsed->sealed_root, sealed.sealed_root);
  EXPECT_EQ(parsed->claim, sealed.claim);
  EXPECT_EQ(parsed->receipt, sealed.receipt);
  EXPECT_EQ(parsed->key, sealed.key);
  for (size_t at = 0; at < bytes.size(); ++at) {
    Bytes changed = bytes;
    changed[at] ^= 0x40;
    EXPECT_EQ(Sealed::parse(changed).error().code, common::Code::kCorrupt) << at;
    EXPECT_FALSE(Sealed::parse(common::ByteView(bytes).first(at))) << at;
  }
}

}  // namespace
}  // namespace train
