// Goal: a signed message is good for its kind, network, window, uid and hotkey, and for nothing
// else. Method: each message opened as each kind; each field of its origin, each bit and each
// length of it wrong.
#include "train/messages.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;

const Origin kOrigin{7, {12}, {3}, key_of(3).account()};

Claim claim() { return {kOrigin, digest(1), 1234, digest(2), digest(3)}; }
KeyReveal reveal() { return {kOrigin, digest(4).bytes}; }
RootNote note() { return {kOrigin, digest(4)}; }

TEST(Messages, ComeBackAsTheyWereSigned) {
  EXPECT_EQ(open_claim(sign(claim(), key_of(3)), kOrigin).message, claim());
  EXPECT_EQ(open_key(sign(reveal(), key_of(3)), kOrigin).message, reveal());
  EXPECT_EQ(open_root(sign(note(), key_of(3)), kOrigin).message, note());
  EXPECT_LE(sign(claim(), key_of(3)).size(), kMessageSizeMax);
}

// A key and a root note have the same fields and the same length.
TEST(Messages, NoKindPassesForAnother) {
  const Bytes key = sign(reveal(), key_of(3));
  const Bytes root = sign(note(), key_of(3));
  ASSERT_EQ(key.size(), root.size());
  EXPECT_EQ(open_root(key, kOrigin).verdict, Verdict::kBadSignature);
  EXPECT_EQ(open_key(root, kOrigin).verdict, Verdict::kBadSignature);
  EXPECT_EQ(open_claim(root, kOrigin).verdict, Verdict::kMalformed);
  EXPECT_EQ(open_root(sign(claim(), key_of(3)), kOrigin).verdict, Verdict::kMalformed);
}

TEST(Messages, AreGoodForOneOriginOnly) {
  const Bytes bytes = sign(claim(), key_of(3));
  for (const Origin& other :
       {Origin{8, {12}, {3}, kOrigin.hotkey}, Origin{7, {13}, {3}, kOrigin.hotkey},
        Origin{7, {12}, {4}, kOrigin.hotkey}, Origin{7, {12}, {3}, key_of(4).account()}}) {
    EXPECT_EQ(open_claim(bytes, other).verdict, Verdict::kWrongWindow);
    EXPECT_FALSE(open_claim(bytes, other).message);
  }
}

TEST(Messages, AreSignedByTheHotkeyTheyName) {
  EXPECT_EQ(open_claim(sign(claim(), key_of(4)), kOrigin).verdict, Verdict::kBadSignature);
}

// The first version's claim had the same fields; its hashes meant something else.
TEST(Messages, AClaimOfAnotherVersionIsNoClaim) {
  Bytes bytes = sign(claim(), key_of(3));
  const size_t fields = bytes.size() - 64;
  const auto signed_as = [&](std::string_view kind) {
    const common::Hash what = common::Hasher()
                                  .update(common::view_of(kind))
                                  .update(common::ByteView(bytes).first(fields))
                                  .finish();
    const common::Signature signature = key_of(3).sign(what.bytes);
    std::copy(signature.begin(), signature.end(), bytes.end() - 64);
    return open_claim(bytes, kOrigin).verdict;
  };
  EXPECT_EQ(signed_as("muster claim v1"), Verdict::kBadSignature);
  EXPECT_EQ(signed_as("muster claim v2"), Verdict::kAccepted);
}

TEST(Messages, EveryFlippedBitAndEveryLengthIsRefused) {
  const Bytes bytes = sign(claim(), key_of(3));
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 3) {
    Bytes changed = bytes;
    changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const auto opened = open_claim(changed, kOrigin);
    EXPECT_FALSE(opened.message) << bit;
    const bool in_origin = bit / 8 < 2 + 8 + 2 + 32;
    EXPECT_EQ(opened.verdict, in_origin ? Verdict::kWrongWindow : Verdict::kBadSignature) << bit;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(open_claim(common::ByteView(bytes).first(size), kOrigin).verdict,
              Verdict::kMalformed);
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(open_claim(longer, kOrigin).verdict, Verdict::kMalformed);
}

TEST(Messages, KeysAreOnesThatEveryStoreTakesAndNoneIsTwice) {
  const Window window{~uint64_t{0}};
  std::set<std::string> keys;
  for (const std::string& key :
       {claim_key(window), contribution_key(window), receipt_key(window), seal_key_key(window),
        root_key(window), manifest_key(window), mirror_key(window, {0}),
        mirror_key(window, {65535}), scores_key(window)}) {
    EXPECT_TRUE(common::valid_key(key)) << key;
    EXPECT_TRUE(keys.insert(key).second) << key;
  }
  EXPECT_EQ(mirror_key({12}, {3}), "w/12/mirror/3");
}

}  // namespace
}  // namespace train
