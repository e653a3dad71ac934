// Goal: each verdict has its cause, and no other; whatever is our trouble gives no row.
// Method: two miners, of whom one does exactly one thing wrong; then every single call of a
// judgement fails in turn.
#include <gtest/gtest.h>

#include <vector>

#include "compress/dense.h"
#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;
using tests::MemoryStore;

constexpr Window kWindow{12};
constexpr common::Instant kDeadline{2'000'000};
const Hash kBase = digest(77);

// Its work, and what befalls its bucket before the deadline's sighting and before the opening.
struct Miner {
  Change change;
  std::function<void(MemoryStore&)> before_sight;
  std::function<void(MemoryStore&)> before_open;
  const compress::Codec* codec = nullptr;  // The judge's.
  bool fetched_early = false;              // Between the deadline and the reveal.
};

// What is found of a contribution; it lies in a subnet that is gone.
struct Row {
  Verdict verdict = Verdict::kAccepted;
  common::AccountId hotkey;
  uint64_t sealed_size = 0;
  Receipt receipt = {};
  compress::ContributionHeader header = {};
  Bytes plain = {};
  Hash digest = {};
  uint64_t value_count = 0;
};

// Uid 0 judges; uid 2 is honest and must never be harmed; the row of uid 1, the miner.
std::optional<Row> judged(const Miner& miner) {
  SmallSubnet subnet(3);
  const Work work = subnet.work(1, kWindow, kBase, miner.change);
  const Work honest = subnet.work(2, kWindow, kBase);
  EXPECT_TRUE(subnet.publish(1, work));
  EXPECT_TRUE(subnet.publish(2, honest));
  MemoryStore& bucket = subnet.bucket(1);
  bucket.now = kDeadline + common::milliseconds(1);
  if (miner.before_sight) miner.before_sight(bucket);
  Exchange judge = subnet.exchange(0, 4, miner.codec);
  auto sightings = judge.sight(kWindow, subnet.peers().all().subspan(1), kDeadline);
  EXPECT_TRUE(subnet.exchange(1).reveal(work.sealed));
  EXPECT_TRUE(subnet.exchange(2).reveal(honest.sealed));
  if (miner.before_open) miner.before_open(bucket);
  if (miner.fetched_early) judge.fetch(kWindow, sightings, subnet.peers());
  auto opened = judge.open(kWindow, std::move(sightings), subnet.peers(), kBase);
  bool honest_seen = false;
  std::optional<Row> row;
  for (Gathered& one : opened) {
    honest_seen |= one.uid == Uid{2} && (one.verdict == Verdict::kAccepted || miner.codec);
    if (one.uid != Uid{1}) continue;
    row = Row{.verdict = one.verdict, .hotkey = one.hotkey, .sealed_size = one.sealed_size};
    row->receipt = std::move(one.receipt);
    EXPECT_EQ(one.contribution != nullptr, one.verdict == Verdict::kAccepted);
    if (one.contribution == nullptr) {
      EXPECT_TRUE(row->receipt.steps.empty());
      continue;
    }
    row->header = one.contribution->header();
    row->plain = common::read_all(one.contribution->plain(), 1 << 20).value();
    row->digest = one.contribution->digest();
    row->value_count = one.contribution->sums().value_count();
  }
  EXPECT_TRUE(honest_seen);
  return row;
}
Verdict verdict(const Miner& miner) {
  const auto row = judged(miner);
  EXPECT_TRUE(row.has_value());
  return row ? row->verdict : Verdict::kAccepted;
}

Change at(std::string_view step, std::function<void(Work&)> change) {
  return [=](std::string_view now, Work& work) {
    if (now == step) change(work);
  };
}
std::function<void(MemoryStore&)> erase(std::string key) {
  return [=](MemoryStore& bucket) { bucket.erase(key); };
}
std::function<void(MemoryStore&)> rewrite(std::string key, std::function<void(Bytes&)> change) {
  return [=](MemoryStore& bucket) {
    Bytes bytes = *bucket.peek(key);
    change(bytes);
    bucket.write(key, bytes);
  };
}
void cut(Bytes& bytes) { bytes.pop_back(); }
void flip(Bytes& bytes) { bytes[bytes.size() / 2] ^= 1; }

TEST(Verdicts, AcceptedCarriesAllThatIsNeeded) {
  Work made;
  const auto row = judged({.change = at("sealed", [&](Work& work) { made = work; })});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->verdict, Verdict::kAccepted);
  EXPECT_EQ(row->hotkey, key_of(1).account());
  EXPECT_EQ(row->header, made.header);
  EXPECT_EQ(row->receipt, made.receipt);
  EXPECT_EQ(row->plain, made.plain);
  EXPECT_EQ(row->digest, common::tree_hash(made.plain));
  EXPECT_EQ(row->sealed_size, made.sealed_contribution.size());
  EXPECT_GT(row->value_count, 0U);
}

TEST(Verdicts, Missing) {
  EXPECT_EQ(verdict({.before_sight = erase(claim_key(kWindow))}), Verdict::kMissing);
  EXPECT_EQ(verdict({.before_sight = erase(contribution_key(kWindow))}), Verdict::kMissing);
}

TEST(Verdicts, Late) {
  for (const std::string& key : {claim_key(kWindow), contribution_key(kWindow)}) {
    EXPECT_EQ(verdict({.before_sight = rewrite(key, [](Bytes&) {})}), Verdict::kLate);
    const auto in_time = [key](MemoryStore& bucket) {
      bucket.now = kDeadline;
      bucket.write(key, *bucket.peek(key));
    };
    EXPECT_EQ(verdict({.before_sight = in_time}), Verdict::kAccepted);
  }
}

TEST(Verdicts, Malformed) {
  EXPECT_EQ(verdict({.change = at("sealed", [](Work& w) { cut(w.sealed.claim); })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("sealed", [](Work& w) { w.sealed.claim.clear(); })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("sealed", [](Work& w) { w.sealed.key.push_back(0); })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("sealed", [](Work& w) { cut(w.sealed.receipt); })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("plain", [](Work& w) { w.plain.resize(200); })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.header.steps = 4; })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.header.steps = 1; })}),
            Verdict::kMalformed);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.body.insert(w.body.begin(), 0); })}),
            Verdict::kMalformed);
}

TEST(Verdicts, BadSignature) {
  const auto others = at("sealed", [](Work& w) { w.sealed.claim = sign(w.claim, key_of(2)); });
  EXPECT_EQ(verdict({.change = others}), Verdict::kBadSignature);
  const auto key = at("sealed", [](Work& w) {
    w.sealed.key = sign(KeyReveal{w.claim.origin, w.key}, key_of(2));
  });
  EXPECT_EQ(verdict({.change = key}), Verdict::kBadSignature);
  EXPECT_EQ(verdict({.change = at("plain", [](Work& w) { cut(w.plain); })}),
            Verdict::kBadSignature);
  EXPECT_EQ(verdict({.change = at("plain", [](Work& w) { w.plain.back() ^= 1; })}),
            Verdict::kBadSignature);
}

TEST(Verdicts, WrongWindow) {
  const auto claim = [](const std::function<void(Origin&)>& change) {
    return Miner{.change = at("claim", [=](Work& w) { change(w.claim.origin); })};
  };
  EXPECT_EQ(verdict(claim([](Origin& origin) { origin.window = {11}; })), Verdict::kWrongWindow);
  EXPECT_EQ(verdict(claim([](Origin& origin) { origin.uid = {2}; })), Verdict::kWrongWindow);
  EXPECT_EQ(verdict(claim([](Origin& origin) { ++origin.netuid; })), Verdict::kWrongWindow);
  EXPECT_EQ(verdict(claim([](Origin& origin) { origin.hotkey = key_of(2).account(); })),
            Verdict::kWrongWindow);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.header.window = {11}; })}),
            Verdict::kWrongWindow);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.header.uid = {2}; })}),
            Verdict::kWrongWindow);
  const auto copied = at("plain", [](Work& w) {
    w.header.hotkey = key_of(2).account();
    w.plain = compress::serialise({w.header, w.body}, key_of(2));
  });
  EXPECT_EQ(verdict({.change = copied}), Verdict::kWrongWindow);
}

TEST(Verdicts, WrongHparamsBaseAndShape) {
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.header.hparams_hash = digest(0); })}),
            Verdict::kWrongHparams);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.header.base_root = digest(0); })}),
            Verdict::kWrongBase);
  EXPECT_EQ(verdict({.change = at("header", [](Work& w) { w.body.resize(2); })}),
            Verdict::kWrongShape);
  // Said by the claim already, and then nothing is read any more.
  std::vector<std::string> calls;
  const auto watch = [&](MemoryStore& bucket) {
    bucket.calls();
    bucket.watch = [&](const std::string& call) {
      calls.push_back(call);
      return std::optional<common::Error>();
    };
  };
  EXPECT_EQ(verdict({.change = at("claim", [](Work& w) { w.claim.base_root = digest(0); }),
                     .before_open = watch}),
            Verdict::kWrongBase);
  EXPECT_TRUE(calls.empty());
}

TEST(Verdicts, OversizedIsNotRead) {
  const auto grow = [](Bytes& bytes) { bytes.resize(kMessageSizeMax + 1); };
  EXPECT_EQ(verdict({.change = at("sealed", [&](Work& w) { grow(w.sealed.claim); })}),
            Verdict::kOversized);
  EXPECT_EQ(verdict({.change = at("sealed", [&](Work& w) { grow(w.sealed.key); })}),
            Verdict::kOversized);
  EXPECT_EQ(verdict({.change = at("sealed", [&](Work& w) { w.sealed.receipt.resize(1000); })}),
            Verdict::kOversized);
  for (const uint64_t size : {uint64_t{1} << 20, ~uint64_t{0}}) {
    std::vector<std::string> calls;
    const auto watch = [&](MemoryStore& bucket) {
      bucket.watch = [&](const std::string& call) {
        calls.push_back(call);
        return std::optional<common::Error>();
      };
    };
    EXPECT_EQ(verdict({.change = at("claim", [=](Work& w) { w.claim.sealed_size = size; }),
                       .before_sight = watch}),
              Verdict::kOversized);
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "get " + contribution_key(kWindow)), 0);
  }
}

TEST(Verdicts, NotRevealed) {
  EXPECT_EQ(verdict({.before_open = erase(seal_key_key(kWindow))}), Verdict::kNotRevealed);
  EXPECT_EQ(verdict({.before_open = erase(receipt_key(kWindow))}), Verdict::kNotRevealed);
}

TEST(Verdicts, HashMismatchWhateverIsNotAsClaimed) {
  const std::string contribution = contribution_key(kWindow);
  for (const auto& before_open :
       {rewrite(contribution, flip), rewrite(contribution, cut), erase(contribution),
        rewrite(contribution, [](Bytes& bytes) { bytes.push_back(0); })}) {
    EXPECT_EQ(verdict({.before_open = before_open}), Verdict::kHashMismatch);
  }
  const auto other_key = at("sealed", [](Work& w) {
    w.sealed.key = sign(KeyReveal{w.claim.origin, make_seal_key()}, key_of(1));
  });
  EXPECT_EQ(verdict({.change = other_key}), Verdict::kHashMismatch);
  EXPECT_EQ(verdict({.change = at("claim", [](Work& w) { w.claim.plain_hash = digest(0); })}),
            Verdict::kHashMismatch);
  EXPECT_EQ(verdict({.change = at("claim", [](Work& w) { --w.claim.sealed_size; })}),
            Verdict::kHashMismatch);
  const auto receipt = at("sealed", [](Work& w) {
    w.receipt.steps[0].loss = 1.0F;
    w.sealed.receipt = w.receipt.serialise();
  });
  EXPECT_EQ(verdict({.change = receipt}), Verdict::kHashMismatch);
}

TEST(Verdicts, EmptyAndWhatTheCodecSays) {
  const SmallSubnet subnet(1);
  const Bytes zero = compress::SparseLoco().encode(
      std::vector<float>(subnet.layout().parameter_count()), subnet.layout());
  EXPECT_EQ(verdict({.change = at("header", [&](Work& w) { w.body = zero; })}), Verdict::kEmpty);

  // No bits of sparseloco are NaN; a dense body has some.
  const compress::Dense dense;
  const auto infinite = at("header", [&](Work& w) {
    w.body =
        dense.encode(std::vector<float>(subnet.layout().parameter_count(), 1), subnet.layout());
    w.body[0] = 0x80;
    w.body[1] = 0x7f;
  });
  EXPECT_EQ(verdict({.change = infinite, .codec = &dense}), Verdict::kNonFinite);
}

// TOCTOU: after the sighting a claim is what was sighted.
TEST(Verdicts, AClaimChangedAfterTheSightingChangesNothing) {
  const auto again = [](bool both) {
    return [both](MemoryStore& bucket) {
      const SmallSubnet subnet(3);
      const Work other =
          subnet.work(1, kWindow, kBase, at("header", [](Work& w) { w.header.token_count = 99; }));
      bucket.write(claim_key(kWindow), other.sealed.claim);
      if (!both) return;
      bucket.write(contribution_key(kWindow), other.sealed_contribution);
      bucket.write(seal_key_key(kWindow), other.sealed.key);
    };
  };
  EXPECT_EQ(verdict({.before_open = again(false)}), Verdict::kAccepted);
  EXPECT_EQ(verdict({.before_open = again(true)}), Verdict::kHashMismatch);
}

// Between any two calls of the sighting another claim and contribution are put: late, or the old
// ones count.
TEST(Verdicts, AClaimChangedDuringTheSightingIsLateOrWasNotSeen) {
  for (int swap_at = 0; swap_at < 4; ++swap_at) {
    int call_number = 0;
    const auto swap = [&, swap_at](MemoryStore& bucket) {
      bucket.watch = [&bucket, &call_number, swap_at](const std::string&) {
        if (call_number++ == swap_at) {
          const SmallSubnet subnet(3);
          const Work other = subnet.work(1, kWindow, kBase);
          bucket.write(claim_key(kWindow), other.sealed.claim);
          bucket.write(contribution_key(kWindow), other.sealed_contribution);
        }
        return std::optional<common::Error>();
      };
    };
    const Verdict outcome = verdict({.before_sight = swap});
    if (swap_at < 3) {
      EXPECT_EQ(outcome, Verdict::kLate) << swap_at;
    } else {
      EXPECT_EQ(outcome, Verdict::kHashMismatch) << swap_at;
    }
  }
}

// What was fetched before the reveal is what was claimed, whatever becomes of the bucket; and what
// is not as claimed by then is nobody's any more.
TEST(Verdicts, FetchedBeforeTheRevealItIsHeldToItsClaimToo) {
  EXPECT_EQ(verdict({.fetched_early = true}), Verdict::kAccepted);
  const auto wrong_size = at("claim", [](Work& w) { --w.claim.sealed_size; });
  EXPECT_EQ(verdict({.change = wrong_size, .fetched_early = true}), Verdict::kHashMismatch);
  const auto wrong_root = at("claim", [](Work& w) { w.claim.sealed_root = digest(0); });
  EXPECT_EQ(verdict({.change = wrong_root, .fetched_early = true}), Verdict::kHashMismatch);
  EXPECT_EQ(verdict({.before_open = erase(seal_key_key(kWindow)), .fetched_early = true}),
            Verdict::kNotRevealed);
}

TEST(Verdicts, ABucketThatIsSilentBeforeTheRevealIsAskedAgain) {
  SmallSubnet subnet(2);
  const Work work = subnet.work(1, kWindow, kBase);
  ASSERT_TRUE(subnet.publish(1, work));
  Exchange judge = subnet.exchange(0);
  auto sightings = judge.sight(kWindow, subnet.peers().all().subspan(1), kDeadline);
  subnet.bucket(1).watch = tests::always(common::Code::kTimeout);
  judge.fetch(kWindow, sightings, subnet.peers());
  ASSERT_EQ(sightings.at(0).verdict, Verdict::kAccepted);
  EXPECT_EQ(sightings[0].sealed, nullptr);
  subnet.bucket(1).watch = {};
  ASSERT_TRUE(subnet.exchange(1).reveal(work.sealed));
  const auto opened = judge.open(kWindow, std::move(sightings), subnet.peers(), kBase);
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].verdict, Verdict::kAccepted);
}

// A look-up that failed makes nobody guilty, whichever of them it was.
TEST(Verdicts, OurTroubleGivesNoRow) {
  std::vector<std::string> calls;
  const auto record = [&](MemoryStore& bucket) {
    bucket.watch = [&](const std::string& call) {
      if (!call.starts_with("put")) calls.push_back(call);
      return std::optional<common::Error>();
    };
  };
  ASSERT_EQ(verdict({.before_sight = record}), Verdict::kAccepted);
  ASSERT_EQ(calls.size(), 6U);  // Claim, two times, key, contribution, receipt.
  for (const std::string& call : std::vector(calls)) {
    for (const auto code : {common::Code::kUnavailable, common::Code::kTimeout,
                            common::Code::kPermission, common::Code::kIo, common::Code::kCorrupt}) {
      const auto fail = [&](MemoryStore& bucket) { bucket.watch = tests::fails(call, code); };
      EXPECT_FALSE(judged({.before_sight = fail})) << call;
    }
  }
}

TEST(Verdicts, WhoNamedNoBucketHasNoRowAndWhoNamedABadOneIsMissing) {
  SmallSubnet subnet(4);
  std::vector<Peer> peers(subnet.peers().all().begin(), subnet.peers().all().end());
  for (Peer& peer : peers) peer.bucket = nullptr;
  peers[1].address.bucket = "";
  peers[2].address.bucket = "nonsense";
  peers[3].unopened = true;
  const auto sightings = subnet.exchange(0).sight(kWindow, std::span(peers).subspan(1), kDeadline);
  ASSERT_EQ(sightings.size(), 1U);
  EXPECT_EQ(sightings[0].uid, Uid{2});
  EXPECT_EQ(sightings[0].verdict, Verdict::kMissing);
}

}  // namespace
}  // namespace train
