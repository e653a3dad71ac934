// Goal: a receiver reads exactly what the hotkey signed, or names what is wrong with it.
// Method: one good contribution, then each field made wrong by itself, signed again where the fault
// is not the signature; every truncation; a flip in every byte. All of it in memory, and examined
// where it lies.
#include "compress/contribution.h"

#include <gtest/gtest.h>

#include <functional>

#include "compress/dense.h"
#include "compress/sparseloco.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using common::Keypair;

Hash hash_of(std::string_view text) { return common::blake2b_256(common::view_of(text)); }

class ContributionTest : public ::testing::Test {
 protected:
  Contribution contribution() const {
    Contribution made;
    made.header.netuid = 3;
    made.header.uid = {12};
    made.header.window = {345};
    made.header.hotkey = alice_.account();
    made.header.hparams_hash = hash_of("hparams");
    made.header.base_root = hash_of("base");
    made.header.receipt_root = hash_of("receipt");
    made.header.steps = 30;
    made.header.token_count = 30 * 4 * 256;
    made.body = {1, 2, 3, 4, 5};
    return made;
  }
  Expected expected() const {
    return {.netuid = 3,
            .uid = {12},
            .window = {345},
            .hotkey = alice_.account(),
            .hparams_hash = hash_of("hparams"),
            .base_root = hash_of("base"),
            .steps_max = 30};
  }
  // The verdict about a contribution that was changed before it was signed.
  Verdict judge(const std::function<void(Contribution&)>& change) const {
    Contribution changed = contribution();
    change(changed);
    return judge(serialise(changed, alice_));
  }
  // In memory, and where it lies: there is no body there that is good, so it is judged last.
  Verdict judge(ByteView bytes) const {
    const auto parsed = parse_contribution(bytes, kSizeMax, expected());
    const Verdict verdict = parsed ? Verdict::kAccepted : parsed.error();
    const common::MemorySource source(bytes);
    const auto examined = examine(source, *format_, expected(), 2);
    EXPECT_TRUE(examined && !*examined);
    EXPECT_EQ(examined->error(), parsed ? Verdict::kWrongShape : verdict);
    return verdict;
  }

  static constexpr uint64_t kSizeMax = 300;
  const Layout layout_ = testing::layout_of({{1, 36}});  // 72 bytes, and 228 around them.
  const std::unique_ptr<const BodyFormat> format_ = Dense().format(layout_);
  const Keypair alice_ = Keypair::from_uri("//Alice").value();
  const Keypair bob_ = Keypair::from_uri("//Bob").value();
};

TEST_F(ContributionTest, IsReadAsItWasWritten) {
  const auto parsed = parse_contribution(serialise(contribution(), alice_), kSizeMax, expected());
  ASSERT_TRUE(parsed) << name(parsed.error());
  EXPECT_EQ(parsed->header, contribution().header);
  EXPECT_EQ(parsed->body, contribution().body);
}

TEST_F(ContributionTest, AnEmptyBodyIsRead) {
  EXPECT_EQ(judge([](Contribution& c) { c.body.clear(); }), Verdict::kAccepted);
}

TEST_F(ContributionTest, TooLongIsOversizedWhateverItSays) {
  EXPECT_EQ(judge(Bytes(kSizeMax + 1)), Verdict::kOversized);
  EXPECT_EQ(judge([](Contribution& c) { c.body.resize(100); }), Verdict::kOversized);
}

TEST_F(ContributionTest, AWrongShapeIsMalformed) {
  EXPECT_EQ(judge(Bytes{}), Verdict::kMalformed);
  EXPECT_EQ(judge(Bytes(kSizeMax)), Verdict::kMalformed);
  Bytes bytes = serialise(contribution(), alice_);
  bytes[0] ^= 1;  // The magic.
  EXPECT_EQ(judge(bytes), Verdict::kMalformed);
  bytes[0] ^= 1;
  bytes[8] = 1;  // The version.
  EXPECT_EQ(judge(bytes), Verdict::kMalformed);
  bytes[8] = 2;
  EXPECT_EQ(judge(bytes), Verdict::kAccepted);
  bytes.push_back(0);  // The signature is the last 64 bytes, whatever they are.
  EXPECT_EQ(judge(bytes), Verdict::kBadSignature);
}

TEST_F(ContributionTest, ImpossibleCountsAreMalformed) {
  EXPECT_EQ(judge([](Contribution& c) { c.header.steps = 0; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Contribution& c) { c.header.steps = 31; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Contribution& c) { c.header.token_count = 29; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Contribution& c) { c.header.steps = 1; }), Verdict::kAccepted);
}

TEST_F(ContributionTest, AnothersSignatureIsBad) {
  Contribution forged = contribution();
  forged.header.hotkey = bob_.account();
  Bytes bytes = serialise(forged, bob_);
  // Bob signed, the bytes say Alice.
  std::copy(alice_.account().bytes.begin(), alice_.account().bytes.end(), bytes.begin() + 24);
  EXPECT_EQ(judge(bytes), Verdict::kBadSignature);
}

TEST_F(ContributionTest, AnotherWindowUidNetworkOrHotkeyIsNamed) {
  EXPECT_EQ(judge([](Contribution& c) { c.header.window = {344}; }), Verdict::kWrongWindow);
  EXPECT_EQ(judge([](Contribution& c) { c.header.uid = {13}; }), Verdict::kWrongWindow);
  EXPECT_EQ(judge([](Contribution& c) { c.header.netuid = 4; }), Verdict::kWrongWindow);
  Contribution of_bob = contribution();
  of_bob.header.hotkey = bob_.account();
  EXPECT_EQ(judge(serialise(of_bob, bob_)), Verdict::kWrongWindow);
}

TEST_F(ContributionTest, OtherHparamsAndAnotherBaseAreNamed) {
  EXPECT_EQ(judge([](Contribution& c) { c.header.hparams_hash = hash_of("mine"); }),
            Verdict::kWrongHparams);
  EXPECT_EQ(judge([](Contribution& c) { c.header.base_root = hash_of("fork"); }),
            Verdict::kWrongBase);
}

TEST_F(ContributionTest, OfSeveralFaultsTheFirstIsNamed) {
  const auto all_wrong = [](Contribution& c) {
    c.header.window = {1};
    c.header.hparams_hash = {};
    c.header.base_root = {};
  };
  EXPECT_EQ(judge(all_wrong), Verdict::kWrongWindow);
  EXPECT_EQ(judge([](Contribution& c) { c.header.hparams_hash = c.header.base_root = {}; }),
            Verdict::kWrongHparams);
}

TEST_F(ContributionTest, EveryTruncationIsRefused) {
  const Bytes bytes = serialise(contribution(), alice_);
  const size_t least = bytes.size() - contribution().body.size();  // Header and signature.
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(judge(ByteView(bytes).first(size)),
              size < least ? Verdict::kMalformed : Verdict::kBadSignature)
        << size;
  }
}

TEST_F(ContributionTest, AFlipInAnyByteIsRefused) {
  const Bytes bytes = serialise(contribution(), alice_);
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes flipped = bytes;
    flipped[i] = static_cast<uint8_t>(flipped[i] ^ (1u << i % 8));
    const Verdict verdict = judge(flipped);
    ASSERT_TRUE(verdict == Verdict::kMalformed || verdict == Verdict::kBadSignature)
        << i << " " << name(verdict);
  }
}

TEST_F(ContributionTest, TheLongestIsTheHeaderTheLongestBodyAndTheSignature) {
  const Layout layout = testing::small_layout();
  const SparseLoco codec;
  Contribution longest = contribution();
  longest.body.resize(codec.body_size_max(layout));
  EXPECT_EQ(serialise(longest, alice_).size(), contribution_size_max(codec, layout));
}

TEST_F(ContributionTest, ACodecIsMadeByName) {
  const auto codec =
      make_codec({.name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 1});
  ASSERT_TRUE(codec);
  EXPECT_EQ((*codec)->name(), "sparseloco");
  const auto none = make_codec({.name = "zip", .tile = 4096, .keep = 64, .feedback_decay = 1});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, common::Code::kInvalidArgument);
  EXPECT_NE(none.error().message.find("zip"), std::string::npos);
}

using ContributionDeathTest = ContributionTest;

TEST_F(ContributionDeathTest, SigningForAnotherHotkeyIsABug) {
  EXPECT_DEATH(serialise(contribution(), bob_), "CHECK failed");
}

}  // namespace
}  // namespace compress
