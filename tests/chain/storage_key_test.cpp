// Goal: storage keys are the chain's.
// Method: hashes and a whole key that polkadot-js and a node computed (data/extrinsics.json), and
// the shape of every kind of map.
#include "chain/substrate/storage_key.h"

#include <gtest/gtest.h>

namespace chain::substrate {
namespace {

using common::to_hex;
using common::view_of;

const AccountId kAlice =
    AccountId::from_ss58("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").value();

TEST(StorageKey, HashersGiveWhatPolkadotJsGives) {
  EXPECT_EQ(to_hex(twox128(view_of("SubtensorModule"))), "658faa385070e074c85bf6b568cf0555");
  EXPECT_EQ(to_hex(twox128(view_of("Weights"))), "a1e7036061f484bc3048a64b64e35ec4");
  EXPECT_EQ(to_hex(twox128(view_of("System"))), "26aa394eea5630e07c48ae0c9558cef7");
  EXPECT_EQ(to_hex(twox128(view_of("Account"))), "b99d880ec681799c0cf30e8886371da9");
  EXPECT_EQ(to_hex(twox64(Encoder().number(uint16_t{1}).done())), "f1577fbf1d628fdd");
  EXPECT_EQ(to_hex(hashed_key(StorageHasher::kBlake2_128Concat, kAlice.bytes)),
            "de1e86a9a8c739864cf3cc5ec2bea59f" + to_hex(kAlice.bytes));
}

TEST(StorageKey, AWholeKeyIsPrefixThenParts) {
  EXPECT_EQ(to_hex(storage::kWeights.key(2, 1)),
            "658faa385070e074c85bf6b568cf0555a1e7036061f484bc3048a64b64e35ec402000100");
  EXPECT_EQ(to_hex(storage::kAccount.key(kAlice)),
            "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
            "de1e86a9a8c739864cf3cc5ec2bea59f" +
                to_hex(kAlice.bytes));
}

TEST(StorageKey, EachMapHashesItsKeysAsDeclared) {
  EXPECT_EQ(storage::kNow.key().size(), 32u);
  EXPECT_EQ(storage::kBlockHash.key(1).size(), 32u + 8 + 4);
  EXPECT_EQ(storage::kTempo.key(1).size(), 32u + 2);
  EXPECT_EQ(storage::kYuma3On.key(1).size(), 32u + 16 + 2);
  EXPECT_EQ(storage::kUids.key(1, kAlice).size(), 32u + 2 + 16 + 32);
  EXPECT_EQ(storage::kTotalHotkeyAlpha.key(kAlice, 1).size(), 32u + 16 + 32 + 2);
  EXPECT_EQ(storage::kCommitmentOf.key(1, kAlice).size(), 32u + 2 + 8 + 32);
  EXPECT_EQ(storage::kAlphaV2.key(kAlice, kAlice, 1).size(), 32u + 2 * (16 + 32) + 2);
}

TEST(StorageKey, TheAccountOfAKeyIsReadBackAndNothingElseIs) {
  const auto& map = storage::kCommitmentOf;
  const Bytes key = map.key(3, kAlice);
  EXPECT_EQ(map.account_of(key), kAlice);
  EXPECT_EQ(storage::kUids.account_of(storage::kUids.key(3, kAlice)), kAlice);
  EXPECT_FALSE(storage::kUids.account_of(key));
  Bytes changed = key;
  changed[34] ^= 1;  // In the hash before the account.
  EXPECT_FALSE(map.account_of(changed));
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(map.account_of(ByteView(key).first(size))) << size;
  }
}

}  // namespace
}  // namespace chain::substrate
