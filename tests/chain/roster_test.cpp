// Goal: everybody reads the same buckets, leads and anchors from the chain, whatever strangers
// commit there. Method: announcements there and back; hostile commitments; the rules of an anchor
// one by one on a small metagraph.
#include "chain/roster.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/chain/plain_ledger.h"

namespace chain {
namespace {

using common::Code;
using common::Role;
using common::Window;

// Windows of 100 blocks: the lead may anchor from block 60 on, the next ones from 70, 80, 90.
constexpr common::ScheduleParams kSchedule{.blocks_per_window = 100,
                                           .seal_block = 40,
                                           .reveal_block = 50,
                                           .manifest_block = 60,
                                           .lead_timeout_blocks = 10,
                                           .manifest_quorum = 0};
constexpr Window kWindow{2};  // Blocks 200 to 299.

const Keypair& key(uint16_t uid) {
  static std::map<uint16_t, Keypair> keys;
  const auto found = keys.find(uid);
  if (found != keys.end()) return found->second;
  return keys.emplace(uid, *Keypair::from_uri("//" + std::to_string(uid))).first->second;
}
Hash digest(uint64_t number) { return common::Hasher().number(number).finish(); }

// Uids 0 to 5; 3, 1, 4, 0 are leads in this order, 2 and 5 have no permit.
Metagraph graph() {
  Metagraph made;
  const uint64_t stakes[] = {10, 30, 99, 40, 30, 0};
  for (uint16_t uid = 0; uid < 6; ++uid) {
    Neuron neuron;
    neuron.uid = {uid};
    neuron.hotkey = key(uid).account();
    neuron.stake_rao = stakes[uid];
    neuron.validator_permit = uid != 2 && uid != 5;
    made.neurons.push_back(neuron);
  }
  return made;
}

Announcement anchor(uint16_t uid, uint64_t block, Window window = kWindow, uint64_t manifest = 1) {
  return {key(uid).account(),
          {block},
          {Role::kValidator, "file:///x"},
          Anchor{window, digest(manifest)}};
}
Commitment commitment(uint16_t uid, std::vector<Bytes> fields, uint64_t block = 1) {
  return {key(uid).account(), {block}, std::move(fields)};
}
Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

// --- announcements ---

RC_GTEST_PROP(Announcements, ComeBackAsTheyWereMade, ()) {
  const auto letter = rc::gen::inRange<char>('!', 0x7F);
  const Bucket bucket{*rc::gen::element(Role::kMiner, Role::kValidator),
                      *rc::gen::container<std::string>(letter)};
  std::optional<Anchor> anchored;
  if (*rc::gen::arbitrary<bool>()) anchored = Anchor{{*rc::gen::arbitrary<uint64_t>()}, digest(5)};
  const auto fields = announcement(bucket, anchored);
  for (const Bytes& field : fields) RC_ASSERT(field.size() <= 512U);
  const auto read = read_announcement(commitment(1, fields, 77));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->bucket == bucket);
  RC_ASSERT(read->anchor == anchored);
  RC_ASSERT(read->hotkey == key(1).account());
  RC_ASSERT(read->block == BlockNumber{77});
}

TEST(Announcements, WhatStrangersCommitIsNone) {
  const auto good = announcement({Role::kMiner, "file:///x"}, Anchor{kWindow, digest(1)});
  const auto read = [](std::vector<Bytes> fields) {
    return read_announcement(commitment(1, std::move(fields))).has_value();
  };
  EXPECT_TRUE(read(good));
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({good[1]}));  // An anchor without a bucket.
  EXPECT_FALSE(read({good[1], good[0]}));
  EXPECT_FALSE(read({good[0], good[0]}));
  EXPECT_FALSE(read({good[0], good[1], good[1]}));
  EXPECT_FALSE(read({good[0], {}}));
  EXPECT_FALSE(read({Bytes{}}));
  EXPECT_FALSE(read({bytes("muster-miner")}));
  EXPECT_FALSE(read({bytes("muster-mine:file:///x")}));
  EXPECT_FALSE(read({bytes("muster-miner:" + std::string(kBucketAddressMax + 1, 'x'))}));
  EXPECT_TRUE(read({bytes("muster-miner:" + std::string(kBucketAddressMax, 'x'))}));
  Bytes cut = good[1];
  cut.pop_back();
  EXPECT_FALSE(read({good[0], cut}));
  Bytes longer = good[1];
  longer.push_back(0);
  EXPECT_FALSE(read({good[0], longer}));
}

// It ends in logs and on terminals.
TEST(Announcements, AnAddressIsVisibleAscii) {
  for (const char bad : {' ', '\n', '\x1B', '\x7F', '\x80', '\xFF', '\0'}) {
    EXPECT_FALSE(read_announcement(commitment(1, {bytes(std::string("muster-miner:a") + bad)})));
  }
  substrate::TestClock clock;
  PlainLedger ledger(clock);
  EXPECT_EQ(announce_bucket(ledger, key(1), {Role::kMiner, "a b"}).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(announce_bucket(ledger, key(1), {Role::kMiner, std::string(481, 'a')}).error().code,
            Code::kInvalidArgument);
  EXPECT_TRUE(ledger.commits.empty());
}

TEST(Announcements, ABucketIsCommittedOnceAndAnAnchorKeepsIt) {
  substrate::TestClock clock;
  PlainLedger ledger(clock);
  EXPECT_EQ(anchor_manifest(ledger, key(3), {kWindow, digest(1)}).error().code, Code::kNotFound);
  const Bucket bucket{Role::kValidator, "file:///x"};
  ASSERT_TRUE(announce_bucket(ledger, key(3), bucket));
  ASSERT_TRUE(announce_bucket(ledger, key(3), bucket));
  EXPECT_EQ(ledger.commits.size(), 1U);
  ASSERT_TRUE(anchor_manifest(ledger, key(3), {kWindow, digest(1)}));
  ASSERT_TRUE(announce_bucket(ledger, key(3), bucket));
  EXPECT_EQ(ledger.commits.size(), 2U);
  // A new address does not undo the anchor.
  ASSERT_TRUE(announce_bucket(ledger, key(3), {Role::kValidator, "file:///y"}));
  const auto read = read_announcement(ledger.committed.at(0));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bucket.address, "file:///y");
  EXPECT_EQ(read->anchor, (Anchor{kWindow, digest(1)}));
}

// --- anchors ---

std::optional<uint16_t> counts(const std::vector<Announcement>& announcements) {
  const auto found = anchored(announcements, graph(), kWindow, kSchedule);
  return found ? std::optional(found->lead.index) : std::nullopt;
}

TEST(Anchored, EachLeadFromItsTurnOnUntilTheWindowsEnd) {
  EXPECT_EQ(entitled_from(0, kWindow, kSchedule), BlockNumber{260});
  EXPECT_EQ(entitled_from(2, kWindow, kSchedule), BlockNumber{280});
  const std::vector<uint16_t> order = {3, 1, 4, 0};  // 1 and 4 have equal stake: the lower uid.
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const uint64_t turn = 260 + 10 * rank;
    EXPECT_FALSE(counts({anchor(order[rank], turn - 1)})) << rank;
    EXPECT_EQ(counts({anchor(order[rank], turn)}), order[rank]);
    EXPECT_EQ(counts({anchor(order[rank], 299)}), order[rank]);
    EXPECT_FALSE(counts({anchor(order[rank], 300)}));
  }
}

TEST(Anchored, TheFirstByBlockThenByRank) {
  EXPECT_EQ(counts({anchor(3, 275), anchor(1, 270)}), 1);
  EXPECT_EQ(counts({anchor(3, 270), anchor(1, 270)}), 3);
  EXPECT_EQ(counts({anchor(1, 270), anchor(3, 270)}), 3);  // Whatever order they come in.
  EXPECT_EQ(counts({anchor(4, 280), anchor(1, 280), anchor(0, 295)}), 1);
  // One that came before its turn does not stand in the way.
  EXPECT_EQ(counts({anchor(1, 261), anchor(3, 290)}), 3);
}

TEST(Anchored, OnlyOfLeadsAndOfThatWindow) {
  EXPECT_FALSE(counts({}));
  EXPECT_FALSE(counts({anchor(2, 290)}));  // Most stake, but no permit.
  EXPECT_FALSE(counts({anchor(5, 290)}));
  EXPECT_FALSE(counts({anchor(9, 290)}));  // Not registered.
  EXPECT_FALSE(counts({anchor(3, 290, {1})}));
  EXPECT_FALSE(counts({anchor(3, 290, {3})}));
  Announcement bare = anchor(3, 290);
  bare.anchor.reset();
  EXPECT_FALSE(counts({bare}));
  const auto found = anchored(std::vector{anchor(3, 265, kWindow, 8)}, graph(), kWindow, kSchedule);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->anchor.manifest, digest(8));
  EXPECT_EQ(found->block, BlockNumber{265});
}

// --- the roster ---

TEST(Rosters, EveryNeuronWithWhatItSaysAndTheLeadsInOrder) {
  substrate::TestClock clock;
  PlainLedger ledger(clock);
  ledger.graph = graph();
  ledger.committed = {commitment(5, announcement({Role::kMiner, "file:///five"}, {})),
                      commitment(3, announcement({Role::kValidator, "file:///three"}, {})),
                      commitment(1, {bytes("something else")}),
                      commitment(99, announcement({Role::kMiner, "file:///nobody"}, {}))};
  const auto roster = read_roster(ledger, kWindow, kSchedule);
  ASSERT_TRUE(roster);
  EXPECT_EQ(roster->metagraph.at.number, BlockNumber{200});
  ASSERT_EQ(roster->peers.size(), 6U);
  EXPECT_EQ(roster->peers[5].bucket, "file:///five");
  EXPECT_EQ(roster->peers[5].role, Role::kMiner);
  EXPECT_EQ(roster->peers[3].role, Role::kValidator);
  EXPECT_EQ(roster->peers[1].role, Role::kNone);
  EXPECT_EQ(roster->peers[1].bucket, "");
  std::vector<uint16_t> leads;
  for (const common::Voter& voter : roster->voters) leads.push_back(voter.uid.index);
  EXPECT_EQ(leads, (std::vector<uint16_t>{3, 1, 4, 0}));
  EXPECT_EQ(roster->voters[0].stake, 40U);
  EXPECT_EQ(roster->rank(key(4).account()), 2U);
  EXPECT_FALSE(roster->rank(key(2).account()));
}

class WaitForAnchor : public testing::Test {
 protected:
  WaitForAnchor() { ledger_.graph = graph(); }
  void go_to(uint64_t block) {
    clock_.sleep(PlainLedger::kBlockTime * static_cast<int64_t>(block - ledger_.height().index));
  }
  Commitment made(uint16_t uid, uint64_t block, Window window = kWindow) const {
    return commitment(uid, announcement({Role::kValidator, "file:///x"}, Anchor{window, digest(1)}),
                      block);
  }
  Result<std::optional<Anchored>> wait() {
    roster_ = *read_roster(ledger_, kWindow, kSchedule);
    return wait_for_anchor(ledger_, blocks_, roster_, kWindow, kSchedule);
  }
  substrate::TestClock clock_;
  PlainLedger ledger_{clock_};
  BlockClock blocks_{ledger_, clock_};
  Roster roster_;
};

TEST_F(WaitForAnchor, ReturnsWhenItIsThere) {
  go_to(210);
  ledger_.committed = {made(3, 260)};
  const auto found = wait();
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->lead, Uid{3});
  EXPECT_LT(ledger_.height(), BlockNumber{263});
}

TEST_F(WaitForAnchor, ANullWindowIsKnownAtItsEndOnly) {
  go_to(210);
  const auto found = wait();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->has_value());
  EXPECT_GE(ledger_.height(), BlockNumber{300});
}

// Its commitment is the next window's by now; the last block of the window still shows it.
TEST_F(WaitForAnchor, LongAfterwardsTheChainIsAskedAboutThatTime) {
  go_to(450);
  ledger_.committed = {made(3, 365, {3})};
  ledger_.committed_at[299] = {made(3, 265)};
  const auto found = wait();
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->block, BlockNumber{265});
}

TEST_F(WaitForAnchor, TroubleIsHandedUp) {
  go_to(299);
  const Roster roster = *read_roster(ledger_, kWindow, kSchedule);
  ledger_.trouble = [] { return common::Error{Code::kRefused, "no"}; };
  EXPECT_EQ(wait_for_anchor(ledger_, blocks_, roster, kWindow, kSchedule).error().code,
            Code::kRefused);
  EXPECT_EQ(past_anchor(ledger_, kWindow, kSchedule).error().code, Code::kRefused);
}

}  // namespace
}  // namespace chain
