// Goal: what was committed is there when the store is opened again, the state goes on to the same
// bits, and old blocks stay readable after state has forgotten them. Method: a chain committed
// block by block, the store closed and opened at several places, and compared with a chain that
// never stopped.
#include "chain/embedded/store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "chain/embedded/snapshot.h"
#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  StoreTest() : folder_(fs::temp_directory_path() / ("muster_store_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
  }
  ~StoreTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(StoreTest, ANewFolderHoldsNothing) {
  const Store store = Store::open(folder_).value();
  EXPECT_FALSE(store.load().value());
  EXPECT_FALSE(store.block(0));
  EXPECT_FALSE(store.number_of(Hash{}));
}

TEST_F(StoreTest, GoesOnWhereItStopped) {
  World world;
  {
    Store store = Store::open(folder_).value();
    ASSERT_TRUE(store.commit(world.state.head()));
  }
  for (int round = 0; round < 4; ++round) {
    Store store = Store::open(folder_).value();
    auto loaded = store.load();
    ASSERT_TRUE(loaded && *loaded);
    State& state = **loaded;
    EXPECT_EQ(state.head().hash, world.state.head().hash);
    EXPECT_EQ(state.storage().entries(), world.state.storage().entries());
    for (int i = 0; i < 7; ++i) {
      const std::vector<Bytes> sent = {
          world.sign("alice", TransferKeepAlive{World::account("bob"), 1000 + uint64_t(i)})};
      world.block(sent);
      state.advance(world.state.head().time, world.entropy, sent);
      ASSERT_EQ(state.head().hash, world.state.head().hash);
      ASSERT_TRUE(store.commit(state.head()));
    }
  }
  EXPECT_EQ(world.state.head().header.number, 28u);
}

TEST_F(StoreTest, ASnapshotGoesOnToTheSameBits) {
  World world;
  world.blocks(20);
  const Bytes file = encode_snapshot(world.state, Bytes(32, 5));
  auto snapshot = decode_snapshot(file);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->beacon_seed, Bytes(32, 5));
  {
    Store store = Store::open(folder_).value();
    ASSERT_TRUE(store.adopt(snapshot->state));
  }
  const Store store = Store::open(folder_).value();
  State state = *store.load().value();
  EXPECT_EQ(state.genesis_hash(), world.state.genesis_hash());
  EXPECT_EQ(state.head().hash, world.state.head().hash);
  EXPECT_EQ(store.block(7)->hash, world.state.recent(7)->hash);
  world.block();
  state.advance(world.state.head().time, world.entropy, {});
  EXPECT_EQ(state.head().hash, world.state.head().hash);
  EXPECT_EQ(encode_snapshot(state, {}), encode_snapshot(world.state, {}));
}

TEST_F(StoreTest, ADamagedSnapshotIsRefusedWholly) {
  World world;
  world.blocks(3);
  const Bytes file = encode_snapshot(world.state, {});
  for (const size_t size : {size_t{0}, size_t{10}, file.size() / 2, file.size() - 1}) {
    EXPECT_EQ(decode_snapshot(ByteView(file).first(size)).error().code, common::Code::kCorrupt);
  }
  for (const size_t at : {size_t{3}, size_t{40}, file.size() / 2, file.size() - 5}) {
    Bytes other = file;
    other[at] ^= 1;
    EXPECT_FALSE(decode_snapshot(other));
  }
}

TEST_F(StoreTest, KeepsOnlyAsManyBlocksAsItIsTold) {
  World world;
  Store store = Store::open(folder_).value();
  store.keep(kHistoryBlocks + 10);
  ASSERT_TRUE(store.commit(world.state.head()));
  const Hash genesis = world.state.head().hash;
  for (size_t i = 0; i < kHistoryBlocks + 20; ++i) {
    world.block();
    ASSERT_TRUE(store.commit(world.state.head()));
  }
  EXPECT_FALSE(store.block(0));
  EXPECT_FALSE(store.block(10));
  EXPECT_TRUE(store.block(11));
  EXPECT_FALSE(store.number_of(genesis));
  EXPECT_TRUE(*store.load());
}

TEST_F(StoreTest, KeepsOldBlocksButNotTheirState) {
  World world;
  Store store = Store::open(folder_).value();
  ASSERT_TRUE(store.commit(world.state.head()));
  const Hash genesis = world.state.head().hash;
  for (size_t i = 0; i < kHistoryBlocks + 5; ++i) {
    ASSERT_TRUE(store.commit(world.block().block));
  }
  EXPECT_EQ(store.number_of(genesis), 0u);
  ASSERT_TRUE(store.block(0));
  EXPECT_EQ(store.block(0)->hash, genesis);
  const auto state = store.load().value();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->oldest_number(), world.state.oldest_number());
  EXPECT_EQ(state->genesis_hash(), genesis);
}

TEST_F(StoreTest, IsOneProcesssAtATime) {
  const Store store = Store::open(folder_).value();
  const auto second = Store::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, common::Code::kUnavailable);
}

TEST_F(StoreTest, DamageIsSaidAndNotServed) {
  World world;
  {
    Store store = Store::open(folder_).value();
    ASSERT_TRUE(store.commit(world.state.head()));
    const SealedBlock first = world.block().block;
    world.block();
    ASSERT_TRUE(store.commit(first));
    // A block is missing: its successor does not fit.
    world.block();
    ASSERT_TRUE(store.commit(world.state.head()));
  }
  const auto loaded = Store::open(folder_)->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, common::Code::kCorrupt);
}

}  // namespace
}  // namespace chain::embedded
