// Goal: what we hide, Bittensor's runtime opens, and what others hide, we open: for the right
// round, by the right key, and never otherwise; beacons of our own are beacons.
// Method: a ciphertext that the runtime accepted and what drand's quicknet published
// (data/timelock.json, data/quicknet.json), an outside implementation's numbers
// (data/bls381.json), each fault by itself, and every byte changed once.
#include "chain/timelock/timelock.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "chain/timelock/ibe.h"
#include "tests/corpus.h"

// LLVMFuzzerTestOneInput of tests/fuzz/timelock_fuzz.cpp (see CMakeLists.txt here).
extern "C" int fuzz_timelock(const uint8_t* data, size_t size);

namespace chain::timelock {
namespace {

using nlohmann::json;

// Kept, so that loops may walk over parts of it.
const json& data(const std::string& name) {
  static std::map<std::string, json> files;
  const auto [at, fresh] = files.try_emplace(name);
  if (fresh) {
    at->second =
        json::parse(std::ifstream(std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/" + name));
  }
  return at->second;
}

std::string text_in(const json& text) { return text.get<std::string>(); }

Bytes bytes_in(const json& text) { return common::from_hex(text_in(text)).value(); }

void fill(Ephemeral& secret, const json& row) {
  const auto copy = [](const Bytes& from, auto& to) {
    ASSERT_EQ(from.size(), to.size());
    std::copy(from.begin(), from.end(), to.begin());
  };
  copy(bytes_in(row["esk"]), secret.key);
  copy(bytes_in(row["sigma"]), secret.sigma);
  copy(bytes_in(row["nonce"]), secret.nonce);
}

const BeaconSecret& our_beacon() {
  static const BeaconSecret secret = BeaconSecret::from_seed(Bytes(32, 7));
  return secret;
}

Bytes pattern(size_t size) {
  Bytes out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(31 * i + 7);
  return out;
}

TEST(Timelock, WhatTheRuntimeAcceptedIsWhatWeWriteAndRead) {
  const json& vector = data("timelock.json");
  Ephemeral secret;
  fill(secret, vector);
  const Bytes plaintext = bytes_in(vector["plaintext"]);
  const Bytes ciphertext = encrypt_with(secret, plaintext, vector["round"], BeaconKey::quicknet());
  EXPECT_EQ(common::to_hex(ciphertext), text_in(vector["ciphertext"]));
  const Bytes signature = bytes_in(vector["signature"]);
  EXPECT_TRUE(verify(BeaconKey::quicknet(), vector["round"], signature));
  EXPECT_EQ(decrypt(ciphertext, signature), plaintext);
}

TEST(Timelock, AnOutsideImplementationWritesTheSameBytes) {
  for (const json& row : data("bls381.json")["ciphertexts"]) {
    Ephemeral secret;
    fill(secret, row);
    const uint64_t round = std::stoull(text_in(row["round"]));
    const BeaconKey key = BeaconKey::parse(bytes_in(row["key"])).value();
    const Bytes plaintext = bytes_in(row["plaintext"]);
    EXPECT_EQ(common::to_hex(encrypt_with(secret, plaintext, round, key)),
              text_in(row["ciphertext"]));
    EXPECT_EQ(decrypt(bytes_in(row["ciphertext"]), bytes_in(row["signature"])), plaintext);
  }
}

TEST(Timelock, AnyLengthUpToTheBoundGoesThereAndBack) {
  const RoundSignature signature = our_beacon().sign(12);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16}, size_t{300}, kPlaintextSizeMax}) {
    const Bytes plaintext = pattern(size);
    const Bytes ciphertext = encrypt(plaintext, 12, our_beacon().key()).value();
    EXPECT_EQ(ciphertext.size(), size + kCiphertextOverhead);
    EXPECT_EQ(decrypt(ciphertext, signature), plaintext);
  }
  EXPECT_EQ(kPlaintextSizeMax + kCiphertextOverhead, 5000U);
}

TEST(Timelock, TooLongAPlaintextIsTheUsersTrouble) {
  const auto refused = encrypt(pattern(kPlaintextSizeMax + 1), 12, our_beacon().key());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, common::Code::kInvalidArgument);
  EXPECT_EQ(refused.error().message, "a timelock holds at most 4756 bytes, and this is 4757");
}

TEST(Timelock, NoTwoCiphertextsAreEqual) {
  const Bytes plaintext = pattern(20);
  const Bytes a = encrypt(plaintext, 12, our_beacon().key()).value();
  const Bytes b = encrypt(plaintext, 12, our_beacon().key()).value();
  EXPECT_FALSE(std::equal(a.begin(), a.begin() + 96, b.begin()));
  EXPECT_NE(a, b);
}

TEST(Timelock, AnotherRoundOrBeaconOpensNothing) {
  const Bytes ciphertext = encrypt(pattern(20), 12, our_beacon().key()).value();
  EXPECT_EQ(decrypt(ciphertext, our_beacon().sign(13)).error(), Fault::kOtherRound);
  const BeaconSecret other = BeaconSecret::from_seed(Bytes(32, 8));
  EXPECT_EQ(decrypt(ciphertext, other.sign(12)).error(), Fault::kOtherRound);
}

TEST(Timelock, NoByteMayChange) {
  const Bytes ciphertext = encrypt(pattern(20), 12, our_beacon().key()).value();
  const RoundSignature signature = our_beacon().sign(12);
  for (size_t at = 0; at < ciphertext.size(); ++at) {
    Bytes changed = ciphertext;
    changed[at] ^= static_cast<uint8_t>(1U << (at % 8));
    EXPECT_FALSE(decrypt(changed, signature)) << "byte " << at;
  }
}

TEST(Timelock, EachFaultOfACiphertextIsNamed) {
  const Bytes good = encrypt(pattern(20), 12, our_beacon().key()).value();
  const RoundSignature signature = our_beacon().sign(12);
  const auto with = [&](size_t at, uint8_t value) {
    Bytes changed = good;
    changed[at] = value;
    return decrypt(changed, signature).error();
  };
  EXPECT_EQ(decrypt({}, signature).error(), Fault::kLength);
  EXPECT_EQ(decrypt(common::ByteView(good).first(243), signature).error(), Fault::kLength);
  EXPECT_EQ(decrypt(Bytes(5001), signature).error(), Fault::kLength);
  EXPECT_EQ(decrypt(common::ByteView(good).first(good.size() - 1), signature).error(),
            Fault::kFraming);
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(decrypt(longer, signature).error(), Fault::kFraming);
  EXPECT_EQ(with(96, 33), Fault::kFraming);                 // The length of v.
  EXPECT_EQ(with(136, 31), Fault::kFraming);                // Of w.
  EXPECT_EQ(with(183, 0xFF), Fault::kFraming);              // Of the body: 2^64 nearly.
  EXPECT_EQ(with(184, good[184] + 1), Fault::kFraming);     // Of what AES sealed.
  EXPECT_EQ(with(good.size() - 1, '-'), Fault::kFraming);   // The cipher's name.
  EXPECT_EQ(with(0, good[0] & 0x7F), Fault::kFlags);        // u.
  EXPECT_EQ(with(0, good[0] ^ 0x20), Fault::kOtherRound);   // -u.
  EXPECT_EQ(with(110, good[110] ^ 1), Fault::kOtherRound);  // v.
  EXPECT_EQ(with(150, good[150] ^ 1), Fault::kOtherRound);  // w.
  EXPECT_EQ(with(200, good[200] ^ 1), Fault::kAltered);     // The sealed plaintext.
  EXPECT_EQ(with(good.size() - 20, good[good.size() - 20] ^ 1), Fault::kAltered);  // The nonce.
  EXPECT_EQ(decrypt(good, common::ByteView(signature).first(47)).error(), Fault::kLength);
}

TEST(Timelock, PointsThatHideNothingAreRefused) {
  const json& golden = data("bls381.json");
  const RoundSignature signature = our_beacon().sign(12);
  Bytes ciphertext = encrypt(pattern(20), 12, our_beacon().key()).value();
  const auto put = [&ciphertext](const Bytes& u) {
    std::copy(u.begin(), u.end(), ciphertext.begin());
  };
  Bytes infinity(96);
  infinity[0] = 0xC0;
  put(infinity);
  EXPECT_EQ(decrypt(ciphertext, signature).error(), Fault::kZero);
  put(bytes_in(golden["small"]["g2"][0]));
  EXPECT_EQ(decrypt(ciphertext, signature).error(), Fault::kNotInSubgroup);
  EXPECT_EQ(BeaconKey::parse(infinity).error(), Fault::kZero);
  EXPECT_EQ(BeaconKey::parse(bytes_in(golden["outside"]["g2"][0])).error(), Fault::kNotInSubgroup);
}

TEST(Quicknet, EveryPublishedRoundVerifiesAndNoOther) {
  for (const json& row : data("quicknet.json")["rounds"]) {
    const Bytes bytes = bytes_in(row["signature"]);
    const uint64_t round = row["round"];
    EXPECT_TRUE(verify(BeaconKey::quicknet(), round, bytes));
    EXPECT_EQ(verify(BeaconKey::quicknet(), round + 1, bytes).error(), Fault::kBadSignature);
    RoundSignature signature;
    std::copy(bytes.begin(), bytes.end(), signature.begin());
    EXPECT_EQ(common::to_hex(randomness_of(signature)), text_in(row["randomness"]));
    const uint64_t published = row["published_s"];
    EXPECT_EQ(Beacon::quicknet().published_s(round), published);
    EXPECT_EQ(Beacon::quicknet().latest_round(published), round);
  }
}

TEST(Quicknet, ChangedSignaturesAreRefusedByName) {
  const json& rows = data("quicknet.json")["rounds"];
  const Bytes good = bytes_in(rows[0]["signature"]);
  const auto fault = [](const Bytes& signature) {
    return verify(BeaconKey::quicknet(), 1, signature).error();
  };
  Bytes negative = good;
  negative[0] ^= 0x20;
  EXPECT_EQ(fault(negative), Fault::kBadSignature);
  Bytes infinity(48);
  infinity[0] = 0xC0;
  EXPECT_EQ(fault(infinity), Fault::kZero);
  EXPECT_EQ(fault({}), Fault::kLength);
  EXPECT_EQ(fault(bytes_in(data("bls381.json")["small"]["g1"][0])), Fault::kNotInSubgroup);
  for (size_t at = 0; at < good.size(); ++at) {
    Bytes changed = good;
    changed[at] ^= 1;
    EXPECT_FALSE(verify(BeaconKey::quicknet(), 1, changed)) << "byte " << at;
  }
}

TEST(Quicknet, ItsChainHashFollowsFromItsParameters) {
  EXPECT_EQ(common::to_hex(chain_hash(Beacon::quicknet(), quicknet_group_hash(), kQuicknetId)),
            "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971");
  EXPECT_EQ(chain_hash(Beacon::quicknet(), {}, "default"), chain_hash(Beacon::quicknet(), {}, ""));
}

TEST(BeaconSecret, KeysAndSignaturesAreTheOutsidersOnes) {
  for (const json& row : data("bls381.json")["beacons"]) {
    const BeaconSecret secret = BeaconSecret::from_seed(bytes_in(row["seed"]));
    EXPECT_EQ(common::to_hex(secret.key().bytes()), text_in(row["key"]));
    for (const json& round : row["rounds"]) {
      const uint64_t number = std::stoull(text_in(round["round"]));
      const RoundSignature signature = secret.sign(number);
      EXPECT_EQ(common::to_hex(signature), text_in(round["signature"]));
      EXPECT_TRUE(verify(secret.key(), number, signature));
      EXPECT_EQ(verify(BeaconKey::quicknet(), number, signature).error(), Fault::kBadSignature);
    }
  }
}

TEST(BeaconSecret, MovesAndLeavesNothingBehind) {
  BeaconSecret a = BeaconSecret::from_seed(Bytes(32, 1));
  const BeaconKey key = a.key();
  const BeaconSecret b = std::move(a);
  EXPECT_EQ(b.key(), key);
  EXPECT_DEATH(a.key(), "CHECK failed");  // NOLINT: what was moved from is the point.
}

TEST(BeaconSecretDeathTest, AShortSeedIsABug) {
  EXPECT_DEATH(BeaconSecret::from_seed(Bytes(31)), "CHECK failed");
}

TEST(Beacon, RoundsAreCountedAsTheSdkAndDrandCountThem) {
  const Beacon beacon = {our_beacon().key(), 5, 1000};
  EXPECT_EQ(beacon.latest_round(999), 0U);
  EXPECT_EQ(beacon.latest_round(1000), 1U);
  EXPECT_EQ(beacon.latest_round(1004), 1U);
  EXPECT_EQ(beacon.latest_round(1005), 2U);
  EXPECT_EQ(beacon.round_at(0), 1U);     // There is no round before the first,
  EXPECT_EQ(beacon.round_at(1009), 1U);  // nor a zeroth.
  EXPECT_EQ(beacon.round_at(1010), 2U);
  EXPECT_EQ(beacon.published_s(1), 1000U);
  EXPECT_EQ(beacon.published_s(2), 1005U);
  EXPECT_EQ(beacon.published_s(UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(Beacon({our_beacon().key(), 1, 0}).latest_round(UINT64_MAX), UINT64_MAX);
  // What the SDK names is always out already.
  for (const uint64_t now : {1010, 1011, 1014, 1015, 5000}) {
    EXPECT_LE(beacon.published_s(beacon.round_at(now)), now);
  }
}

TEST(RevealRound, AimsThreeBlocksIntoTheRevealEpoch) {
  // Spec 425: the next epoch at block 1100, tempo 360, revealed one and three epochs on.
  EXPECT_EQ(first_reveal_block(1100, 360, 1), 1100U);
  EXPECT_EQ(first_reveal_block(1100, 360, 3), 1820U);
  EXPECT_EQ(first_reveal_block(UINT64_MAX - 1, 360, 3), UINT64_MAX);
  // Spec 293: epoch (1000 + 2) / 361 = 2, so epoch 3 begins where (block + 2) is 1083.
  EXPECT_EQ(first_reveal_block_293(1000, 1, 360, 1), 1081U);
  EXPECT_EQ(first_reveal_block_293(1080, 1, 360, 1), 1081U);
  EXPECT_EQ(first_reveal_block_293(1081, 1, 360, 1), 1442U);
  // 103 blocks of 12 s after t = genesis + 30 s: (30 + 1236) / 3 = 422 rounds.
  const Beacon& beacon = Beacon::quicknet();
  const uint64_t now_ms = (beacon.genesis_s + 30) * 1000;
  EXPECT_EQ(reveal_round(beacon, now_ms, 1000, 1100, 12000), 422U);
  EXPECT_EQ(reveal_round(beacon, now_ms + 2999, 1000, 1100, 12000), 422U);
  EXPECT_EQ(reveal_round(beacon, now_ms + 3000, 1000, 1100, 12000), 423U);
  // Blocks of 250 ms, and an epoch that is over.
  EXPECT_EQ(reveal_round(beacon, now_ms, 1000, 1100, 250), 18U);  // 30 s + 25.75 s.
  EXPECT_EQ(reveal_round(beacon, now_ms, 2000, 1100, 12000), 10U);
}

TEST(WeightsPayload, IsWrittenAsTheRuntimeReadsIt) {
  common::AccountId hotkey;
  hotkey.bytes.fill(0xAB);
  WeightsPayload payload = {hotkey, {0, 258}, {65535, 1}, 42};
  std::string hotkey_hex;
  for (int i = 0; i < 32; ++i) hotkey_hex += "ab";
  EXPECT_EQ(common::to_hex(payload.encode()),
            "80" + hotkey_hex + "0800000201" + "08ffff0100" + "2a00000000000000");
  EXPECT_EQ(WeightsPayload::decode(payload.encode(), hotkey), payload);
  payload.hotkey.reset();
  EXPECT_EQ(common::to_hex(payload.encode()),
            "0800000201"
            "08ffff0100"
            "2a00000000000000");
  EXPECT_EQ(WeightsPayload::decode(payload.encode(), hotkey), payload);
}

TEST(WeightsPayload, ACopiedCommitNamesItsAuthor) {
  common::AccountId author;
  author.bytes.fill(1);
  common::AccountId copier;
  copier.bytes.fill(2);
  const Bytes bytes = WeightsPayload{author, {1, 2}, {3, 4}, 0}.encode();
  EXPECT_TRUE(WeightsPayload::decode(bytes, author));
  EXPECT_EQ(WeightsPayload::decode(bytes, copier).error(), Fault::kOtherHotkey);
}

TEST(WeightsPayload, TheRuntimesTolerancesAreOurs) {
  common::AccountId hotkey;
  hotkey.bytes.fill(1);
  const WeightsPayload payload = {hotkey, {1}, {2}, 3};
  Bytes trailing = payload.encode();
  trailing.push_back(9);
  EXPECT_EQ(WeightsPayload::decode(trailing, hotkey), payload);
  // A hotkey of 33 bytes: its first 32 count.
  Bytes longer = *common::from_hex("84");
  longer.insert(longer.end(), 33, 1);
  const Bytes rest = WeightsPayload{{}, {1}, {2}, 3}.encode();
  longer.insert(longer.end(), rest.begin(), rest.end());
  EXPECT_EQ(WeightsPayload::decode(longer, hotkey), payload);
}

TEST(WeightsPayload, WhatIsNeitherFormIsRefused) {
  const common::AccountId hotkey;
  for (const char* hex : {"", "80", "08", "00000000", "ffffffff", "04010004020003000000000000"}) {
    EXPECT_EQ(WeightsPayload::decode(*common::from_hex(hex), hotkey).error(), Fault::kNoPayload)
        << hex;
  }
  // A compact count that could be shorter.
  EXPECT_FALSE(WeightsPayload::decode(*common::from_hex("01000000"
                                                        "0000000000000000"),
                                      hotkey));
}

TEST(WeightsPayload, AFullSubnetFitsATimelock) {
  WeightsPayload payload;
  payload.hotkey.emplace();
  for (uint16_t uid = 0; uid < 1024; ++uid) {
    payload.uids.push_back(uid);
    payload.values.push_back(static_cast<uint16_t>(65535 - uid));
  }
  const Bytes bytes = payload.encode();
  ASSERT_LE(bytes.size(), kPlaintextSizeMax);
  const Bytes ciphertext = encrypt(bytes, 5, our_beacon().key()).value();
  const auto opened = decrypt(ciphertext, our_beacon().sign(5));
  ASSERT_TRUE(opened);
  EXPECT_EQ(WeightsPayload::decode(*opened, *payload.hotkey), payload);
}

TEST(Timelock, TheFuzzersCorpusStaysRight) { tests::replay_corpus("timelock", fuzz_timelock); }

TEST(Fault, EachHasASentence) {
  for (int i = 0; i <= static_cast<int>(Fault::kOtherHotkey); ++i) {
    EXPECT_FALSE(describe(static_cast<Fault>(i)).empty());
  }
}

}  // namespace
}  // namespace chain::timelock
