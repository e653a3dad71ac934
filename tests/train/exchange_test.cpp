// Goal: what is published is there in the right order; what counts is gathered whole, from wherever
// it still is, or not at all. Method: in-memory buckets; contributions taken away, changed and
// mirrored one by one.
#include "train/exchange.h"

#include <gtest/gtest.h>

#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using common::Result;
using tests::always;
using tests::fails;
using tests::MemoryStore;

constexpr Window kWindow{12};
const Hash kBase = digest(77);
constexpr common::Instant kLate{1LL << 60};

std::vector<Gathered> open_all(SmallSubnet& subnet, Exchange& exchange) {
  return exchange.open(kWindow, exchange.sight(kWindow, subnet.peers().all().subspan(1), kLate),
                       subnet.peers(), kBase);
}

// Uid 0 leads, the others have contributed; the manifest is published.
struct Round {
  explicit Round(uint16_t count = 4) : subnet(count), lead(subnet.exchange(0)) {
    for (uint16_t uid = 1; uid < count; ++uid) subnet.contribute(uid, kWindow, kBase);
    opened = open_all(subnet, lead);
    manifest = subnet.manifest(0, kWindow, kBase, opened);
    EXPECT_TRUE(lead.publish_manifest(manifest, opened, key_of(0)));
    for (uint16_t uid = 0; uid < count; ++uid) subnet.bucket(uid).calls();
  }
  Result<Counted> gather() { return other.gather(manifest, subnet.peers(), {}); }
  void expect_all(const Result<Counted>& counted) {
    ASSERT_TRUE(counted) << counted.error().message;
    ASSERT_EQ(counted->contributors.size(), opened.size());
    for (size_t i = 0; i < opened.size(); ++i) {
      const compress::StoredContributor& one = counted->contributors[i];
      EXPECT_EQ(one.uid, opened[i].uid);
      EXPECT_EQ(one.sums->norms, opened[i].contribution->sums().norms);
      EXPECT_EQ(bytes_of(*one.body), bytes_of(opened[i].contribution->body()));
    }
  }
  std::vector<Bytes> bytes_of(const compress::StoredBody& body) const {
    std::vector<Bytes> pieces(subnet.format().pieces().size());
    for (size_t i = 0; i < pieces.size(); ++i) {
      EXPECT_TRUE(body.read(i, pieces[i]));
      pieces[i].resize(body.piece_size(i));  // What lies behind means nothing.
    }
    return pieces;
  }
  SmallSubnet subnet;
  Exchange lead;
  Exchange other{subnet.exchange(1)};
  std::vector<Gathered> opened;
  Manifest manifest;
};

TEST(Exchange, WhatAClaimNamesIsThereAndKeysComeLast) {
  SmallSubnet subnet(1);
  const Work work = subnet.contribute(0, kWindow, kBase);
  EXPECT_EQ(subnet.bucket(0).calls(),
            (std::vector<std::string>{"get w/12/claim", "put w/12/contribution", "put w/12/claim",
                                      "put w/12/receipt", "put w/12/key"}));
  subnet.bucket(0).watch = fails("put w/12/contribution", Code::kUnavailable);
  subnet.bucket(0).erase(claim_key(kWindow));
  EXPECT_FALSE(subnet.publish(0, work));
  EXPECT_FALSE(subnet.bucket(0).peek(claim_key(kWindow)));
}

// A miner that is started again after the deadline publishes again: what is there must not become
// younger.
TEST(Exchange, PublishingAgainDoesNotMakeItLate) {
  SmallSubnet subnet(2);
  const Work work = subnet.work(1, kWindow, kBase);
  MemoryStore& bucket = subnet.bucket(1);
  ASSERT_TRUE(subnet.publish(1, work));
  const common::Instant deadline = bucket.now;
  bucket.now = deadline + common::milliseconds(1000);
  ASSERT_TRUE(subnet.publish(1, work));
  auto sightings = subnet.exchange(0).sight(kWindow, subnet.peers().all().subspan(1), deadline);
  EXPECT_EQ(sightings.at(0).verdict, Verdict::kAccepted);
  // Another claim is another matter.
  ASSERT_TRUE(subnet.publish(1, subnet.work(1, kWindow, kBase)));
  sightings = subnet.exchange(0).sight(kWindow, subnet.peers().all().subspan(1), deadline);
  EXPECT_EQ(sightings.at(0).verdict, Verdict::kLate);
}

// Ten at once, over four threads, as over one.
TEST(Exchange, ManyThreadsSeeWhatOneSees) {
  SmallSubnet subnet(11);
  for (uint16_t uid = 1; uid <= 10; ++uid) {
    if (uid != 4) subnet.contribute(uid, kWindow, uid == 7 ? digest(0) : kBase);
  }
  subnet.bucket(9).watch = always(Code::kUnavailable);
  Exchange one = subnet.exchange(0, 1);
  Exchange four = subnet.exchange(0, 4);
  const auto by_one = open_all(subnet, one);
  const auto by_four = open_all(subnet, four);
  ASSERT_EQ(by_one.size(), 9U);  // Uid 9 has no row.
  ASSERT_EQ(by_four.size(), 9U);
  for (size_t i = 0; i < by_one.size(); ++i) {
    EXPECT_EQ(by_one[i].uid, by_four[i].uid);
    EXPECT_EQ(by_one[i].verdict, by_four[i].verdict);
    if (by_one[i].contribution != nullptr) {
      EXPECT_EQ(by_one[i].contribution->digest(), by_four[i].contribution->digest());
    }
    const Verdict expected = by_one[i].uid == Uid{4}   ? Verdict::kMissing
                             : by_one[i].uid == Uid{7} ? Verdict::kWrongBase
                                                       : Verdict::kAccepted;
    EXPECT_EQ(by_one[i].verdict, expected) << by_one[i].uid.index;
  }
  const Manifest manifest = subnet.manifest(0, kWindow, kBase, by_four);
  ASSERT_TRUE(four.publish_manifest(manifest, by_four, key_of(0)));
  const auto counted = four.gather(manifest, subnet.peers(), {});
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->contributors.size(), 7U);
}

TEST(Gather, TakesWhatWasOpenedWithoutAsking) {
  Round round;
  round.expect_all(round.lead.gather(round.manifest, round.subnet.peers(), round.opened));
  for (uint16_t uid = 0; uid < 4; ++uid) EXPECT_TRUE(round.subnet.bucket(uid).calls().empty());
}

TEST(Gather, AsksTheMinerThenTheMirror) {
  Round round;
  round.expect_all(round.gather());
  EXPECT_TRUE(round.subnet.bucket(0).calls().empty());
  round.subnet.bucket(1).watch = always(Code::kUnavailable);
  round.subnet.bucket(2).erase(seal_key_key(kWindow));
  round.expect_all(round.gather());
  EXPECT_EQ(round.subnet.bucket(0).calls().size(), 2U);
}

TEST(Gather, AContributionChangedSinceIsNotApplied) {
  Round round;
  // Another right and signed one, with its own key, in the place of what the manifest names.
  round.subnet.bucket(2).erase(claim_key(kWindow));
  round.subnet.contribute(2, kWindow, kBase, [](std::string_view step, Work& work) {
    if (step == "header") ++work.header.token_count;
  });
  round.expect_all(round.gather());
  EXPECT_EQ(round.subnet.bucket(0).calls(), (std::vector<std::string>{"get w/12/mirror/2"}));
}

TEST(Gather, NeverASubset) {
  Round round;
  round.subnet.bucket(2).watch = always(Code::kUnavailable);
  for (const Code code : {Code::kUnavailable, Code::kNotFound, Code::kTimeout}) {
    round.subnet.bucket(0).watch = fails("get w/12/mirror/2", code);
    const auto gathered = round.gather();
    ASSERT_FALSE(gathered);
    EXPECT_EQ(gathered.error().code, code);
  }
  round.subnet.bucket(0).watch = {};
  Bytes mirror = *round.subnet.bucket(0).peek(mirror_key(kWindow, {2}));
  mirror[100] ^= 1;
  round.subnet.bucket(0).write(mirror_key(kWindow, {2}), mirror);
  EXPECT_EQ(round.gather().error().code, Code::kCorrupt);
}

// What was opened counts only if it is what the manifest names.
TEST(Gather, WhatWeOpenedButTheManifestDoesNotNameIsNotUsed) {
  Round round;
  const Work another = round.subnet.work(1, {11}, kBase);
  std::vector<Gathered> ours = open_all(round.subnet, round.lead);
  for (uint16_t uid = 0; uid < 4; ++uid) round.subnet.bucket(uid).calls();
  ours[0].contribution = round.subnet.stored(another);
  ours[1] = {.uid = {2}, .verdict = Verdict::kLate};
  round.expect_all(round.other.gather(round.manifest, round.subnet.peers(), ours));
  EXPECT_FALSE(round.subnet.bucket(1).calls().empty());
  EXPECT_FALSE(round.subnet.bucket(2).calls().empty());
  EXPECT_TRUE(round.subnet.bucket(3).calls().empty());
}

TEST(Gather, ALeadsSizesAreBounded) {
  Round round;
  for (const uint64_t size : {uint64_t{1} << 40, ~uint64_t{0}}) {
    round.manifest.entries[1].plain_size = size;
    EXPECT_EQ(round.gather().error().code, Code::kCorrupt);
  }
  EXPECT_TRUE(round.subnet.bucket(2).calls().empty());
}

// The lead vouches for bytes, but not that they decode, nor that they are of this window and base.
TEST(Gather, WhatTheManifestNamesMustStillBeAContribution) {
  Round round;
  const Work old = round.subnet.work(2, {11}, kBase);
  ManifestEntry& entry = round.manifest.entries[1];
  entry.plain_digest = common::tree_hash(old.plain);
  entry.plain_size = old.plain.size();
  round.subnet.bucket(0).write(mirror_key(kWindow, {2}), old.plain);
  EXPECT_EQ(round.gather().error().code, Code::kCorrupt);
}

TEST(Manifests, TheAnchoredOneOfThatLeadAndNoOther) {
  Round round;
  const Peer& lead = *round.subnet.peers().find({0});
  Exchange reader = round.subnet.exchange(1);
  const Hash anchored = round.manifest.hash();
  EXPECT_EQ(reader.manifest(kWindow, lead, anchored), round.manifest);
  EXPECT_EQ(reader.manifest(kWindow, lead, digest(0)).error().code, Code::kCorrupt);
  EXPECT_EQ(reader.manifest({13}, lead, anchored).error().code, Code::kNotFound);

  const auto published = [&](const std::function<void(Manifest&)>& change) {
    Manifest other = round.manifest;
    change(other);
    round.subnet.bucket(0).write(manifest_key(kWindow), sign(other, key_of(0)));
    return reader.manifest(kWindow, lead, other.hash());
  };
  EXPECT_TRUE(published([](Manifest&) {}));
  EXPECT_FALSE(published([](Manifest& other) { other.window = {11}; }));
  EXPECT_FALSE(published([](Manifest& other) { ++other.netuid; }));
  EXPECT_FALSE(published([](Manifest& other) { other.hparams_hash = digest(0); }));
  EXPECT_FALSE(published([](Manifest& other) { other.lead = {1}; }));

  round.subnet.bucket(0).watch = always(Code::kTimeout);
  EXPECT_EQ(reader.manifest(kWindow, lead, anchored).error().code, Code::kTimeout);
  Peer closed = lead;
  closed.bucket = nullptr;
  EXPECT_EQ(reader.manifest(kWindow, closed, anchored).error().code, Code::kNotFound);
  closed.unopened = true;
  EXPECT_EQ(reader.manifest(kWindow, closed, anchored).error().code, Code::kUnavailable);
}

// Who can read the manifest can read what it names.
TEST(Manifests, TheMirrorComesFirst) {
  Round round;
  round.subnet.bucket(0).erase(manifest_key(kWindow));
  round.subnet.bucket(0).watch = fails("put w/12/mirror/3", Code::kUnavailable);
  EXPECT_FALSE(round.lead.publish_manifest(round.manifest, round.opened, key_of(0)));
  EXPECT_FALSE(round.subnet.bucket(0).peek(manifest_key(kWindow)));
}

}  // namespace
}  // namespace train
