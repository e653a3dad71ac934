// Goal: what is put again, signed again, cut and joined again has its one named verdict, harms
// nobody else, and never makes the judge ask for more memory than the hparams allow. Method: a
// table of attacks by one miner, who knows last window's objects and another's of this one; small
// contributions of one chunk, and large ones of three, whose chunks are moved. All that is asked
// for while it is judged is counted.
#include <gtest/gtest.h>
#include <sodium.h>

#include <cstring>

#include "compress/dense.h"
#include "tests/allocation_meter.h"
#include "tests/train/small_subnet.h"
#include "tests/train/two_keys.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using tests::AllocationMeter;
using tests::MemoryStore;
using enum Verdict;

constexpr Window kWindow{12};
constexpr Window kLast{11};
constexpr common::Instant kDeadline{2'000'000};
const Hash kBase = digest(77);

// What the attacker knows.
struct Stolen {
  Work last;    // Its own of the window before,
  Work others;  //   and another's of this one.
};

struct Attack {
  const char* name;
  std::string_view step;  // Of the work (SmallSubnet::work), changed when it is made.
  std::function<void(Work&, const Stolen&)> change;
  Verdict verdict;
};

// To be claimed as it now is.
void claim_again(Work& w) {
  w.claim.sealed_root = sealed_root(w.sealed_contribution);
  w.claim.sealed_size = w.sealed_contribution.size();
}
void resign(Work& w) { w.plain = compress::serialise({w.header, w.body}, key_of(1)); }
// With a good signature of uid 1 over bytes that it did not write.
void replace_signature(Work& w) {
  w.plain.resize(w.plain.size() - compress::kSignatureSize);
  const auto signature = key_of(1).sign(common::tree_hash(w.plain).bytes);
  w.plain.insert(w.plain.end(), signature.begin(), signature.end());
}
void reveal(Work& w, const SealKey& key) {
  w.sealed.key = sign(KeyReveal{w.claim.origin, key}, key_of(1));
}
// Another's ciphertext, and what was claimed of it.
void take_sealed(Work& w, const Work& from) {
  w.sealed_contribution = from.sealed_contribution;
  w.claim.sealed_root = from.claim.sealed_root;
  w.claim.sealed_size = from.claim.sealed_size;
  w.claim.plain_hash = from.claim.plain_hash;
}

const std::vector<Attack> kReplays = {
    {"none", "header", [](Work&, const Stolen&) {}, kAccepted},
    {"last window's claim", "sealed",
     [](Work& w, const Stolen& s) { w.sealed.claim = s.last.sealed.claim; }, kWrongWindow},
    {"last window's key", "sealed",
     [](Work& w, const Stolen& s) { w.sealed.key = s.last.sealed.key; }, kWrongWindow},
    {"last window's receipt", "sealed",
     [](Work& w, const Stolen& s) { w.sealed.receipt = s.last.sealed.receipt; }, kHashMismatch},
    {"last window's contribution, unclaimed", "sealed",
     [](Work& w, const Stolen& s) { w.sealed_contribution = s.last.sealed_contribution; },
     kHashMismatch},
    {"last window's contribution, claimed again", "claim",
     [](Work& w, const Stolen& s) { take_sealed(w, s.last); }, kHashMismatch},
    {"last window's text, sealed again", "plain",
     [](Work& w, const Stolen& s) { w.plain = s.last.plain; }, kWrongWindow},
    {"last window's claim, contribution and key", "sealed",
     [](Work& w, const Stolen& s) {
       w.sealed = s.last.sealed;
       w.sealed.window = kWindow;
       w.sealed_contribution = s.last.sealed_contribution;
     },
     kWrongWindow},
};

const std::vector<Attack> kResigned = {
    {"another's claim", "sealed",
     [](Work& w, const Stolen& s) { w.sealed.claim = s.others.sealed.claim; }, kWrongWindow},
    {"another's claim, origin and all, signed by me", "claim",
     [](Work& w, const Stolen& s) { w.claim = s.others.claim; }, kWrongWindow},
    {"another's ciphertext, claimed by me, my key", "claim",
     [](Work& w, const Stolen& s) { take_sealed(w, s.others); }, kHashMismatch},
    {"another's key", "sealed",
     [](Work& w, const Stolen& s) { w.sealed.key = s.others.sealed.key; }, kWrongWindow},
    {"another's text, sealed by me", "plain",
     [](Work& w, const Stolen& s) { w.plain = s.others.plain; }, kWrongWindow},
    {"another's text, my signature", "plain",
     [](Work& w, const Stolen& s) {
       w.plain = s.others.plain;
       replace_signature(w);
     },
     kBadSignature},
    {"another's header, my hotkey in it, its signature", "plain",
     [](Work& w, const Stolen& s) {
       w.header = s.others.header;
       w.header.hotkey = key_of(1).account();
       resign(w);
       std::copy(s.others.plain.end() - 64, s.others.plain.end(), w.plain.end() - 64);
     },
     kBadSignature},
    {"another's header and my hotkey, signed by me", "plain",
     [](Work& w, const Stolen& s) {
       w.header = s.others.header;
       w.header.hotkey = key_of(1).account();
       resign(w);
     },
     kWrongWindow},
    {"another's receipt", "sealed",
     [](Work& w, const Stolen& s) { w.sealed.receipt = s.others.sealed.receipt; }, kHashMismatch},
    // Right in form: that it is a copy, its indices say (validator/overlap.h).
    {"another's values, in a header of mine", "plain",
     [](Work& w, const Stolen& s) {
       w.body = s.others.body;
       resign(w);
     },
     kAccepted},
};

const std::vector<Attack> kSizes = {
    {"a claim of more than the hparams allow", "claim",
     [](Work& w, const Stolen&) { w.claim.sealed_size = 1 << 20; }, kOversized},
    {"a claim of 2^40", "claim",
     [](Work& w, const Stolen&) { w.claim.sealed_size = uint64_t{1} << 40; }, kOversized},
    {"a claim of 2^64 less one", "claim",
     [](Work& w, const Stolen&) { w.claim.sealed_size = ~uint64_t{0}; }, kOversized},
    {"as much as is allowed, and not there", "claim",
     [](Work& w, const Stolen&) { w.claim.sealed_size += 20; }, kHashMismatch},
    {"a claim of nothing", "claim", [](Work& w, const Stolen&) { w.claim.sealed_size = 0; },
     kHashMismatch},
    {"nothing, claimed", "claim",
     [](Work& w, const Stolen&) {
       w.sealed_contribution.clear();
       claim_again(w);
     },
     kHashMismatch},
    {"five bytes, claimed", "claim",
     [](Work& w, const Stolen&) {
       w.sealed_contribution.resize(5);
       claim_again(w);
     },
     kHashMismatch},
    {"more than was claimed", "sealed",
     [](Work& w, const Stolen&) { w.sealed_contribution.resize(3 << 20); }, kHashMismatch},
    {"no text, sealed", "plain", [](Work& w, const Stolen&) { w.plain.clear(); }, kMalformed},
    {"a byte cut from the sealed, claimed", "claim",
     [](Work& w, const Stolen&) {
       w.sealed_contribution.pop_back();
       claim_again(w);
     },
     kHashMismatch},
    {"a receipt of 2^20 bytes", "sealed",
     [](Work& w, const Stolen&) { w.sealed.receipt.resize(1 << 20); }, kOversized},
    {"a key of 2^20 bytes", "sealed", [](Work& w, const Stolen&) { w.sealed.key.resize(1 << 20); },
     kOversized},
    {"a claim object of 2^20 bytes", "sealed",
     [](Work& w, const Stolen&) { w.sealed.claim.resize(1 << 20); }, kOversized},
};

// Uid 0 judges, uid 1 attacks, uid 2 is honest and is never harmed.
struct Judged {
  Verdict verdict = kAccepted;
  uint64_t peak = 0;  // Bytes, from the sighting on.
};

Judged judged(SmallSubnet& subnet, Exchange& judge, const Work& work, const Work& others) {
  EXPECT_TRUE(subnet.publish(1, work));
  EXPECT_TRUE(subnet.publish(2, others));
  Judged found;
  const AllocationMeter sighting;
  auto sightings = judge.sight(kWindow, subnet.peers().all().subspan(1), kDeadline);
  found.peak = sighting.peak();
  EXPECT_TRUE(subnet.exchange(1).reveal(work.sealed));
  EXPECT_TRUE(subnet.exchange(2).reveal(others.sealed));
  const AllocationMeter opening;
  auto opened = judge.open(kWindow, std::move(sightings), subnet.peers(), kBase);
  found.peak = std::max(found.peak, opening.peak());
  EXPECT_EQ(opened.size(), 2u);
  for (const Gathered& one : opened) {
    if (one.uid == Uid{1}) {
      found.verdict = one.verdict;
    } else {
      EXPECT_EQ(one.verdict, kAccepted) << "the honest one: " << common::name(one.verdict);
    }
  }
  return found;
}

Change changed_by(const Attack& attack, const Stolen& stolen) {
  return [&](std::string_view now, Work& work) {
    if (now == attack.step) attack.change(work, stolen);
  };
}

class AdversaryOfAnExchange : public ::testing::TestWithParam<const Attack*> {};

// Two are opened at once, each: as fetched and as the store here hands it out, sealed and plain,
// again while it is read; and 100 bytes a piece and tensor.
TEST_P(AdversaryOfAnExchange, HasItsVerdictInBoundedMemory) {
  const Attack& attack = *GetParam();
  SmallSubnet subnet(3);
  const Stolen stolen{subnet.work(1, kLast, kBase), subnet.work(2, kWindow, kBase)};
  const Work work = subnet.work(1, kWindow, kBase, changed_by(attack, stolen));
  Exchange judge = subnet.exchange(0);
  const Judged found = judged(subnet, judge, work, stolen.others);
  EXPECT_EQ(found.verdict, attack.verdict) << common::name(found.verdict);
  const uint64_t longest = sealed_size(compress::contribution_size_max(subnet.format()));
  EXPECT_LE(found.peak, 2 * ((256 << 10) + 8 * longest));
}

std::vector<const Attack*> all_attacks() {
  std::vector<const Attack*> all;
  for (const auto* table : {&kReplays, &kResigned, &kSizes}) {
    for (const Attack& attack : *table) all.push_back(&attack);
  }
  return all;
}
std::string test_name(const Attack* attack) {
  std::string name = attack->name;
  std::erase_if(name, [](char c) { return c == ',' || c == '\''; });
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, AdversaryOfAnExchange, ::testing::ValuesIn(all_attacks()),
                         [](const auto& of) { return test_name(of.param); });

// --- chunks ---

// Three chunks, the last of them cut: a dense body.
constexpr uint32_t kValues = 1'300'000;

class AdversaryOfChunks : public ::testing::Test {
 protected:
  Work work(uint16_t uid, const std::function<void(Work&)>& change = {}) const {
    return subnet_.work(uid, kWindow, kBase, [&](std::string_view step, Work& w) {
      if (step == "header") {
        w.body = dense_.encode(std::vector<float>(kValues, 0.25F * uid), layout_);
      } else if (step == "claim" && change) {
        change(w);
      }
    });
  }
  Judged judge(const Work& of) {
    Exchange judge(subnet_.hparams(), layout_, dense_, subnet_.bucket(0), folder_ / "spool", 4);
    return judged(subnet_, judge, of, others_);
  }
  // `change` is done to the ciphertext and claimed, or done after it was claimed.
  void expect(Verdict verdict, const std::function<void(Work&)>& change, bool claimed) {
    Work made = work(1, [&](Work& w) {
      if (!claimed) return;
      change(w);
      claim_again(w);
    });
    if (!claimed) change(made);
    const Judged found = judge(made);
    EXPECT_EQ(found.verdict, verdict) << common::name(found.verdict);
    const uint64_t longest = sealed_size(compress::contribution_size_max(dense_, layout_));
    EXPECT_LE(found.peak, 2 * ((256 << 10) + 8 * longest));
  }
  static Bytes chunks(const Bytes& sealed, std::initializer_list<size_t> order) {
    Bytes made;
    for (const size_t i : order) {
      const size_t first = i * kSealedChunk;
      const ByteView chunk =
          ByteView(sealed).subspan(first, std::min(kSealedChunk, sealed.size() - first));
      made.insert(made.end(), chunk.begin(), chunk.end());
    }
    return made;
  }

  SmallSubnet subnet_{3};
  const compress::Layout layout_{{{.name = "a", .rows = 1, .cols = kValues}}, 64, 8};
  const compress::Dense dense_;
  const Work others_ = work(2);
  const tests::TempFolder folder_;
};

TEST_F(AdversaryOfChunks, InTheirOrderTheyAreAccepted) {
  EXPECT_EQ(others_.sealed_contribution.size() / kSealedChunk, 2u);
  expect(
      kAccepted, [](Work&) {}, true);
}

TEST_F(AdversaryOfChunks, InAnotherOrderTheyDoNotOpen) {
  for (const auto order : {std::initializer_list<size_t>{1, 0, 2}, {0, 0, 2}, {1, 1, 2}}) {
    for (const bool claimed : {false, true}) {
      expect(
          kHashMismatch,
          [&](Work& w) { w.sealed_contribution = chunks(w.sealed_contribution, order); }, claimed);
    }
  }
}

TEST_F(AdversaryOfChunks, CutAtTheBorderOfAChunkTheyDoNotOpen) {
  for (const auto order : {std::initializer_list<size_t>{0, 1}, {0}, {0, 2}, {2}, {1}}) {
    for (const bool claimed : {false, true}) {
      expect(
          kHashMismatch,
          [&](Work& w) { w.sealed_contribution = chunks(w.sealed_contribution, order); }, claimed);
    }
  }
}

TEST_F(AdversaryOfChunks, OneTooManyIsOversizedIfClaimed) {
  for (const auto order : {std::initializer_list<size_t>{0, 1, 1, 2}, {0, 1, 2, 2}}) {
    const auto longer = [&](Work& w) {
      w.sealed_contribution = chunks(w.sealed_contribution, order);
    };
    expect(kOversized, longer, true);
    expect(kHashMismatch, longer, false);
  }
}

// Anothers' chunk at its place, under my key or its own.
TEST_F(AdversaryOfChunks, OfTwoObjectsTheyDoNotMix) {
  const auto mixed = [&](Work& w) {
    std::copy_n(others_.sealed_contribution.begin() + kSealedChunk, kSealedChunk,
                w.sealed_contribution.begin() + kSealedChunk);
  };
  for (const bool claimed : {false, true}) expect(kHashMismatch, mixed, claimed);
}

// The same text, as well sealed, in chunks of other sizes that sum to the same: by the cipher's
// own rules nothing is wrong with it, and no reader would find its ranges.
TEST_F(AdversaryOfChunks, OfOtherSizesTheyDoNotOpen) {
  const auto rechunked = [](Work& w) {
    const auto key = common::blake2b_256_keyed(
        w.key, common::view_of(std::string_view("muster seal v2 chacha20-poly1305")));
    Bytes sealed;
    const size_t sizes[] = {kSealChunk - 100, kSealChunk, w.plain.size() - 2 * kSealChunk + 100};
    size_t first = 0;
    for (uint64_t number = 0; number < 3; ++number) {
      std::array<uint8_t, 12> nonce{};
      std::memcpy(nonce.data(), &number, 8);
      nonce[11] = number == 2 ? 1 : 0;
      const size_t at = sealed.size();
      sealed.resize(at + sizes[number] + kSealTag);
      crypto_aead_chacha20poly1305_ietf_encrypt(&sealed[at], nullptr, &w.plain[first],
                                                sizes[number], nullptr, 0, nullptr, nonce.data(),
                                                key.bytes.data());
      first += sizes[number];
    }
    ASSERT_EQ(sealed.size(), w.sealed_contribution.size());
    w.sealed_contribution = sealed;
  };
  for (const bool claimed : {false, true}) expect(kHashMismatch, rechunked, claimed);
}

// --- a key that opens to something else ---

TEST(AdversaryOfKeys, OfTwoThatOpenOneObjectOnlyTheClaimedOneCounts) {
  const SealKey one = make_seal_key();
  const SealKey other = make_seal_key();
  const Bytes both = sealed_for_two(one, other, 20);
  const auto text = unseal(both, one);
  const auto other_text = unseal(both, other);
  ASSERT_TRUE(text && other_text);  // The cipher sees nothing wrong with either.
  EXPECT_NE(*text, *other_text);

  for (const bool revealed_other : {false, true}) {
    SmallSubnet subnet(3);
    const Work work = subnet.work(1, kWindow, kBase, [&](std::string_view step, Work& w) {
      if (step == "claim") {
        w.sealed_contribution = both;
        claim_again(w);
        w.claim.plain_hash = plain_hash_of(one, common::tree_hash(*text));
      }
      if (step == "sealed") reveal(w, revealed_other ? other : one);
    });
    Exchange judge = subnet.exchange(0);
    const Judged found = judged(subnet, judge, work, subnet.work(2, kWindow, kBase));
    // As claimed it opens to what is no contribution; otherwise it is not what was claimed.
    EXPECT_EQ(found.verdict, revealed_other ? kHashMismatch : kMalformed);
  }
}

}  // namespace
}  // namespace train
