// Goal: whoever comes late, or is wrong, ends in the network's state, and skips nothing that it
// could not learn. Method: a history of true windows in memory; readers that know the chain's
// anchors or only the signed roots, with this and that bucket silent, forged or gone.
#include "train/sync.h"

#include <gtest/gtest.h>

#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using common::Error;
using tests::always;
using tests::fails;

// Uids 0 to 2 are validators with 100, 60 and 50 of stake, 3 and 4 are miners, 5 reads.
class SyncTest : public testing::Test {
 protected:
  // One window as it should be: contributions, a manifest, and every validator's signed root.
  void window(uint16_t lead = 0) {
    const Window now = truth_.next_window();
    for (uint16_t uid = 3; uid <= 4; ++uid) subnet_.contribute(uid, now, truth_.root());
    Exchange exchange = subnet_.exchange(lead);
    const auto miners = subnet_.peers().all().subspan(3, 2);
    const auto opened = exchange.open(now, exchange.sight(now, miners, {1LL << 60}),
                                      subnet_.peers(), truth_.root());
    const Manifest manifest = subnet_.manifest(lead, now, truth_.root(), opened);
    ASSERT_EQ(manifest.counting().size(), 2U);
    ASSERT_TRUE(exchange.publish_manifest(manifest, opened, key_of(lead)));
    const auto counted = exchange.gather(manifest, subnet_.peers(), opened);
    ASSERT_TRUE(counted);
    ASSERT_TRUE(truth_.apply(now, manifest.hash(), *counted));
    anchors_[now.index] = PastAnchor{{lead}, manifest.hash()};
    sign_roots(now, truth_.root());
  }
  void null_window() {
    sign_roots(truth_.next_window(), truth_.root());
    truth_.skip(truth_.next_window());
  }
  void sign_root(uint16_t uid, Window now, const Hash& root) {
    ASSERT_TRUE(subnet_.exchange(uid).publish_root({subnet_.origin(uid, now), root}, key_of(uid)));
  }
  void sign_roots(Window now, const Hash& root) {
    for (uint16_t uid = 0; uid <= 2; ++uid) sign_root(uid, now, root);
  }
  // A manifest by `lead` that counts what `lead` likes: nothing.
  Manifest forge(uint16_t lead, Window now, const Hash& base) {
    const Manifest manifest = subnet_.manifest(lead, now, base, {});
    subnet_.bucket(lead).write(manifest_key(now), sign(manifest, key_of(lead)));
    return manifest;
  }

  Network network() {
    return {subnet_.hparams(), reader_, voters_, subnet_.peers(),
            [this](Window now) -> common::Result<std::optional<PastAnchor>> {
              if (!chain_remembers_) return Error{Code::kNotFound, "long ago"};
              const auto found = anchors_.find(now.index);
              if (found == anchors_.end()) return std::optional<PastAnchor>();
              return std::optional(found->second);
            }};
  }
  common::Result<void> synchronise(std::optional<Replica>& replica) {
    return train::synchronise({replica, disk_}, truth_.next_window(), network());
  }
  void expect_true_state(const std::optional<Replica>& replica) {
    ASSERT_TRUE(replica);
    EXPECT_EQ(replica->next_window(), truth_.next_window());
    EXPECT_EQ(replica->root(), truth_.root());
    EXPECT_EQ(replica->theta_root(), truth_.theta_root());
  }

  SmallSubnet subnet_{6};
  Exchange reader_ = subnet_.exchange(5);
  Replica truth_ = Replica::genesis(subnet_.hparams(), {0});
  Replica genesis_ = truth_;
  std::map<uint64_t, std::optional<PastAnchor>> anchors_;
  bool chain_remembers_ = true;
  std::vector<Voter> voters_ = {{{0}, key_of(0).account(), 100},
                                {{1}, key_of(1).account(), 60},
                                {{2}, key_of(2).account(), 50}};
  tests::MemoryStore disk_;
};

TEST_F(SyncTest, ALateJoinerReplaysFromGenesisByAnchorsOrByRoots) {
  null_window();
  window();
  window(1);
  null_window();
  window();
  for (const bool remembers : {true, false}) {
    chain_remembers_ = remembers;
    std::optional<Replica> replica;
    const auto done = synchronise(replica);
    ASSERT_TRUE(done) << done.error().message;
    expect_true_state(replica);
  }
}

TEST_F(SyncTest, ALateJoinerStartsFromTheNewestCheckpointOfTheNetwork) {
  window();
  window();
  ASSERT_TRUE(save_checkpoint(subnet_.bucket(1), truth_, subnet_.hparams(), key_of(1)));
  window();
  subnet_.bucket(0).calls();
  std::optional<Replica> replica;
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
  for (const std::string& call : subnet_.bucket(0).calls()) {
    EXPECT_FALSE(call.starts_with("get w/0/")) << call;  // Before the checkpoint.
  }
}

TEST_F(SyncTest, ItsOwnDiskComesFirst) {
  window();
  ASSERT_TRUE(save_checkpoint(disk_, truth_, subnet_.hparams(), key_of(5)));
  window();
  const auto start = newest_checkpoint(subnet_.hparams(), {2}, &disk_, voters_, subnet_.peers());
  ASSERT_TRUE(start);
  EXPECT_EQ(start->next_window(), Window{1});
  std::optional<Replica> replica;
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
}

// One validator's checkpoint is its word alone: the stake's signed roots stand against it.
TEST_F(SyncTest, ACheckpointThatTheStakeDidNotSignIsNotUsed) {
  window();
  window();
  Replica wrong = genesis_;
  ASSERT_TRUE(wrong.apply({0}, digest(0), {}));
  ASSERT_TRUE(wrong.apply({1}, digest(0), {}));
  ASSERT_TRUE(save_checkpoint(subnet_.bucket(0), wrong, subnet_.hparams(), key_of(0)));
  std::optional<Replica> replica;
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
}

TEST_F(SyncTest, WhatIsMissingIsWaitedForAndNothingIsSkipped) {
  window();
  window();
  window();
  for (const bool remembers : {true, false}) {
    chain_remembers_ = remembers;
    // The manifest of window 1 is gone; by roots alone nobody can know whether it will be back.
    subnet_.bucket(0).watch =
        fails("get w/1/manifest", remembers ? Code::kNotFound : Code::kTimeout);
    std::optional<Replica> replica;
    EXPECT_EQ(synchronise(replica).error().code, Code::kUnavailable);
    ASSERT_TRUE(replica);
    EXPECT_EQ(replica->next_window(), Window{1});  // What was applied stays.

    // The contribution of uid 3 is gone, and so is its mirror.
    subnet_.bucket(0).watch = fails("get w/1/mirror/3", Code::kNotFound);
    subnet_.bucket(3).watch = always(Code::kUnavailable);
    EXPECT_EQ(synchronise(replica).error().code, Code::kUnavailable);
    EXPECT_EQ(replica->next_window(), Window{1});

    subnet_.bucket(0).watch = {};
    subnet_.bucket(3).watch = {};
    ASSERT_TRUE(synchronise(replica));
    expect_true_state(replica);
  }
}

TEST_F(SyncTest, AChainThatDoesNotAnswerIsNotANullWindow) {
  window();
  Network silent = network();
  silent.anchor_of = [](Window) -> common::Result<std::optional<PastAnchor>> {
    return Error{Code::kTimeout, "silence"};
  };
  Replica replica = genesis_;
  EXPECT_EQ(catch_up(replica, {1}, silent).error().code, Code::kUnavailable);
  EXPECT_EQ(replica.next_window(), Window{0});
}

// Published, but another was anchored, or the stake signed another root: whoever made it.
TEST_F(SyncTest, AForgedManifestIsNotFollowed) {
  window(1);
  forge(0, {0}, genesis_.root());
  for (const bool remembers : {true, false}) {
    chain_remembers_ = remembers;
    std::optional<Replica> replica;
    ASSERT_TRUE(synchronise(replica));
    expect_true_state(replica);
  }
}

// Window 4 has a full root: which manifest leads there is known only by applying. One that cannot
// be applied must not keep us from the true one.
TEST_F(SyncTest, AForgedManifestThatCannotBeAppliedHoldsNobodyUp) {
  for (int i = 0; i < 4; ++i) null_window();
  window(1);
  Manifest forged = subnet_.manifest(0, {4}, genesis_.root(), {});
  forged.entries.push_back({.uid = {3},
                            .hotkey = key_of(3).account(),
                            .plain_digest = common::tree_hash(Bytes{1, 2, 3}),
                            .plain_size = 3,
                            .weight = 1.0F});
  subnet_.bucket(0).write(manifest_key({4}), sign(forged, key_of(0)));
  chain_remembers_ = false;
  std::optional<Replica> replica;
  const auto done = synchronise(replica);
  ASSERT_TRUE(done) << done.error().message;
  expect_true_state(replica);
}

TEST_F(SyncTest, AReplicaOffTheNetworkIsRolledBack) {
  window();
  window();
  window();
  for (const bool remembers : {true, false}) {
    chain_remembers_ = remembers;
    std::optional<Replica> replica = genesis_;
    ASSERT_TRUE(replica->apply({0}, digest(666), {}));
    ASSERT_TRUE(save_checkpoint(disk_, *replica, subnet_.hparams(), key_of(5)));
    ASSERT_TRUE(synchronise(replica));
    expect_true_state(replica);
    // And from its own wrong checkpoint.
    replica.reset();
    ASSERT_TRUE(synchronise(replica));
    expect_true_state(replica);
  }
}

TEST_F(SyncTest, OnTheWayBackTroubleKeepsWhatWasApplied) {
  window();
  window();
  window();
  subnet_.bucket(0).watch = fails("get w/2/manifest", Code::kUnavailable);
  std::optional<Replica> replica = genesis_;
  ASSERT_TRUE(replica->apply({0}, digest(666), {}));
  EXPECT_EQ(synchronise(replica).error().code, Code::kUnavailable);
  ASSERT_TRUE(replica);
  EXPECT_EQ(replica->next_window(), Window{2});
  subnet_.bucket(0).watch = {};
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
}

// The way is gone for good, but a validator has a checkpoint beyond the gap.
TEST_F(SyncTest, FarBehindACheckpointBeyondTheGapIsTaken) {
  for (int i = 0; i < 7; ++i) window();
  subnet_.bucket(0).erase(manifest_key({1}));
  subnet_.bucket(0).erase(mirror_key({1}, {3}));
  ASSERT_TRUE(save_checkpoint(subnet_.bucket(2), truth_, subnet_.hparams(), key_of(2)));
  window();
  std::optional<Replica> replica = genesis_;
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
}

TEST_F(SyncTest, ALeadThatBuiltOnAWrongStateMovesNobody) {
  window();
  const Manifest wrong = forge(0, {1}, digest(666));
  anchors_[1] = PastAnchor{{0}, wrong.hash()};
  null_window();
  std::optional<Replica> replica;
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
  ASSERT_TRUE(settle_disagreement(replica, forge(0, {2}, digest(666)), network()));
  EXPECT_EQ(replica->next_window(), Window{3});
  EXPECT_EQ(replica->root(), truth_.root());

  std::optional<Replica> off = genesis_;
  ASSERT_TRUE(off->apply({0}, digest(666), {}));
  off->skip({1});
  EXPECT_EQ(settle_disagreement(off, forge(0, {2}, truth_.root()), network()).error().code,
            Code::kConflict);
  EXPECT_FALSE(off);
}

// --- votes ---

class VotesTest : public SyncTest {
 protected:
  common::Result<Hash> voted() {
    return voted_root(subnet_.hparams().netuid, {7}, voters_, subnet_.peers());
  }
};

TEST_F(VotesTest, StakeDecidesNotHeads) {
  EXPECT_EQ(voted().error().code, Code::kNotFound);
  sign_root(2, {7}, digest(2));
  EXPECT_EQ(*voted(), digest(2));
  sign_root(0, {7}, digest(0));
  EXPECT_EQ(*voted(), digest(0));
  sign_root(1, {7}, digest(2));
  EXPECT_EQ(*voted(), digest(2));  // 110 against 100.
}

TEST_F(VotesTest, OnlyAVotersOwnNoteOfThatWindowCounts) {
  sign_root(2, {7}, digest(2));
  const auto put = [&](const common::Bytes& note) { subnet_.bucket(0).write(root_key({7}), note); };
  put(sign(RootNote{subnet_.origin(0, {6}), digest(0)}, key_of(0)));
  EXPECT_EQ(*voted(), digest(2));
  put(sign(RootNote{subnet_.origin(1, {7}), digest(0)}, key_of(1)));
  EXPECT_EQ(*voted(), digest(2));
  put(sign(RootNote{subnet_.origin(0, {7}), digest(0)}, key_of(1)));
  EXPECT_EQ(*voted(), digest(2));
  // A miner's note is no vote.
  sign_root(4, {7}, digest(4));
  subnet_.bucket(0).erase(root_key({7}));
  EXPECT_EQ(*voted(), digest(2));
}

// A long note has been answered with; it must not stop everybody.
TEST_F(VotesTest, AnOverlongNoteIsNoVoteAndNoTrouble) {
  sign_root(2, {7}, digest(2));
  subnet_.bucket(0).write(root_key({7}), common::Bytes(kMessageSizeMax + 1));
  EXPECT_EQ(*voted(), digest(2));
}

TEST_F(VotesTest, TheSilentMatterOnlyIfTheyCouldTurnIt) {
  sign_root(0, {7}, digest(0));
  subnet_.bucket(2).watch = always(Code::kTimeout);
  EXPECT_EQ(*voted(), digest(0));  // 100 against 50 at most.
  sign_root(1, {7}, digest(1));
  EXPECT_EQ(voted().error().code, Code::kUnavailable);  // 100 against 60, and 50 silent.
  subnet_.bucket(2).watch = {};
  EXPECT_EQ(*voted(), digest(0));
  for (uint16_t uid = 0; uid <= 2; ++uid) subnet_.bucket(uid).watch = always(Code::kPermission);
  EXPECT_EQ(voted().error().code, Code::kUnavailable);
}

TEST_F(VotesTest, EqualStakeGoesToTheLowerRoot) {
  voters_[1].stake = 100;
  const Hash low = std::min(digest(0), digest(1));
  sign_root(0, {7}, digest(0));
  sign_root(1, {7}, digest(1));
  EXPECT_EQ(*voted(), low);
}

// A validator of little stake that is gone for good must not keep late joiners out of windows of
// before the network.
TEST_F(VotesTest, ASilentVoterDoesNotHoldUpThePast) {
  chain_remembers_ = false;
  for (int i = 0; i < 5; ++i) truth_.skip(truth_.next_window());  // Nobody was there to sign.
  window();
  subnet_.bucket(2).watch = always(Code::kUnavailable);
  std::optional<Replica> replica;
  const auto done = synchronise(replica);
  ASSERT_TRUE(done) << done.error().message;
  expect_true_state(replica);
}

// The first reading sees as far as the first sign of life: so a long silence is not read again for
// each window.
TEST_F(VotesTest, ALongSilenceIsReadOnce) {
  chain_remembers_ = false;
  for (int i = 0; i < 50; ++i) truth_.skip(truth_.next_window());
  window();
  subnet_.bucket(1).calls();
  std::optional<Replica> replica;
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
  EXPECT_LT(subnet_.bucket(1).calls().size(), 150U);
}

// Published and not yet signed: it may count, so that nothing may be said yet.
TEST_F(VotesTest, AManifestThatNobodyHasSignedYetIsWaitedFor) {
  chain_remembers_ = false;
  window();
  for (uint16_t uid = 0; uid <= 2; ++uid) subnet_.bucket(uid).erase(root_key({0}));
  std::optional<Replica> replica;
  EXPECT_EQ(synchronise(replica).error().code, Code::kUnavailable);
  EXPECT_EQ(replica->next_window(), Window{0});
  sign_roots({0}, truth_.root());
  ASSERT_TRUE(synchronise(replica));
  expect_true_state(replica);
}

}  // namespace
}  // namespace train
