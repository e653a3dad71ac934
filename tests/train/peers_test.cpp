// Goal: each bucket is opened once while its address stands; whose fault a bucket is that does not
// open is known. Method: an opener that counts, and fails as told.
#include "train/peers.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/train/memory_store.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Role;

struct Opener {
  std::map<std::string, int> opened;
  std::optional<Code> trouble;

  OpenStore function() {
    return
        [this](std::string_view address) -> common::Result<std::unique_ptr<common::ObjectStore>> {
          ++opened[std::string(address)];
          if (trouble) return Error{*trouble, "no"};
          return std::unique_ptr<common::ObjectStore>(std::make_unique<tests::MemoryStore>());
        };
  }
};

PeerAddress at(uint16_t uid, std::string bucket, uint8_t hotkey = 1) {
  return {{uid}, {{hotkey}}, Role::kMiner, std::move(bucket)};
}

TEST(Peers, ComeByUidAndAreFoundByUid) {
  Opener opener;
  Peers peers(opener.function());
  peers.update({at(9, "c"), at(2, "a"), at(5, "")});
  ASSERT_EQ(peers.all().size(), 3U);
  EXPECT_EQ(peers.all()[0].address.uid.index, 2);
  EXPECT_EQ(peers.all()[2].address.uid.index, 9);
  EXPECT_EQ(peers.find({5})->bucket, nullptr);  // Named none.
  EXPECT_FALSE(peers.find({5})->unopened);
  EXPECT_EQ(peers.find({9})->address.bucket, "c");
  EXPECT_EQ(peers.find({3}), nullptr);
  EXPECT_EQ(peers.find({10}), nullptr);
}

TEST(Peers, ABucketIsOpenedOnceWhileItsAddressStands) {
  Opener opener;
  Peers peers(opener.function());
  peers.update({at(1, "a"), at(2, "b")});
  common::ObjectStore* const first = peers.find({1})->bucket;
  peers.update({at(0, "z"), at(1, "a"), at(2, "elsewhere")});
  EXPECT_EQ(peers.find({1})->bucket, first);
  EXPECT_EQ(opener.opened["a"], 1);
  EXPECT_EQ(opener.opened["elsewhere"], 1);
  peers.update({at(1, "a", 2)});  // The uid has another holder.
  EXPECT_EQ(opener.opened["a"], 2);
  EXPECT_EQ(peers.all().size(), 1U);
}

TEST(Peers, AnAddressThatIsNoneIsThePeersFaultAndOtherTroubleIsOursAndPasses) {
  Opener opener;
  opener.trouble = Code::kInvalidArgument;
  Peers peers(opener.function());
  peers.update({at(1, "a")});
  EXPECT_EQ(peers.find({1})->bucket, nullptr);
  EXPECT_FALSE(peers.find({1})->unopened);
  opener.trouble = Code::kUnavailable;
  peers.update({at(1, "a")});
  EXPECT_TRUE(peers.find({1})->unopened);
  opener.trouble.reset();
  peers.update({at(1, "a")});
  EXPECT_NE(peers.find({1})->bucket, nullptr);
  EXPECT_FALSE(peers.find({1})->unopened);
}

}  // namespace
}  // namespace train
