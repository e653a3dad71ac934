// Goal: one manifest is one byte string; whatever else claims to be a manifest is refused.
// Method: random manifests there and back; then each field wrong in bytes that are signed all the
// same.
#include "train/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <set>

#include "tests/train/small_subnet.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;

// Offsets in the bytes (see write_entry in manifest.cpp).
constexpr size_t kCountAt = 4 + 2 + 8 + 32 + 32 + 2 + 32;
constexpr size_t kEntriesAt = kCountAt + 4;
constexpr size_t kEntrySize = 2 + 32 + 1 + 32 + 8 + 4;
constexpr size_t kVerdictAt = 2 + 32;
constexpr size_t kSizeAt = kVerdictAt + 1 + 32;
constexpr size_t kWeightAt = kSizeAt + 8;

ManifestEntry accepted(uint16_t uid, float weight = 1.0F) {
  return {{uid}, key_of(uid % 4).account(), Verdict::kAccepted, digest(uid), 100U + uid, weight};
}
ManifestEntry refused(uint16_t uid, Verdict verdict) {
  return {.uid = {uid}, .hotkey = key_of(uid % 4).account(), .verdict = verdict};
}

Manifest manifest(std::vector<ManifestEntry> entries) {
  return {.netuid = 1,
          .window = {9},
          .hparams_hash = digest(1),
          .base_root = digest(2),
          .lead = {0},
          .lead_hotkey = key_of(0).account(),
          .entries = std::move(entries)};
}

// Signed by the lead whatever it says: only what is said can be wrong then.
Bytes signed_again(Bytes bytes, const std::function<void(uint8_t*)>& change) {
  change(bytes.data());
  const auto text = ByteView(bytes).first(bytes.size() - 64);
  const auto signature = key_of(0).sign(common::blake2b_256(text).bytes);
  std::copy(signature.begin(), signature.end(), bytes.end() - 64);
  return bytes;
}
template <typename T>
void set(uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

RC_GTEST_PROP(Manifest, ComesBackAndIsTheOnlyEncoding, ()) {
  std::vector<ManifestEntry> entries;
  for (const auto uid : *rc::gen::container<std::set<uint16_t>>(rc::gen::arbitrary<uint16_t>())) {
    const auto verdict = *common::verdict_of(*rc::gen::inRange<uint8_t>(0, common::kVerdictCount));
    const float weight = 1.0F / static_cast<float>(*rc::gen::inRange(1, 9));
    entries.push_back(verdict == Verdict::kAccepted ? accepted(uid, weight)
                                                    : refused(uid, verdict));
  }
  const Manifest made = manifest(entries);
  const Bytes bytes = sign(made, key_of(0));
  const auto opened = open_manifest(bytes);
  RC_ASSERT(opened.has_value());
  RC_ASSERT(*opened == made);
  RC_ASSERT(opened->hash() == common::blake2b_256(ByteView(bytes).first(bytes.size() - 64)));
  const size_t at = *rc::gen::inRange<size_t>(0, bytes.size());
  RC_ASSERT(!open_manifest(ByteView(bytes).first(at)));
  Bytes changed = bytes;
  changed[at] = static_cast<uint8_t>(changed[at] ^ (1U << *rc::gen::inRange(0, 8)));
  RC_ASSERT(!open_manifest(changed));
}

TEST(Manifest, OnlyWhatIsAcceptedWithAWeightCounts) {
  const Manifest made = manifest({accepted(1), accepted(2, 0.0F), refused(3, Verdict::kLate)});
  ASSERT_EQ(made.counting().size(), 1U);
  EXPECT_EQ(made.counting()[0].uid, Uid{1});
}

TEST(Manifest, UidsAscendAndEachStandsOnce) {
  const Bytes bytes = sign(manifest({accepted(5), accepted(6)}), key_of(0));
  const auto with_second = [&](uint16_t uid) {
    return open_manifest(
        signed_again(bytes, [uid](uint8_t* all) { set(all + kEntriesAt + kEntrySize, uid); }));
  };
  EXPECT_TRUE(with_second(7));
  EXPECT_FALSE(with_second(5));
  EXPECT_FALSE(with_second(4));
}

TEST(Manifest, AWeightIsFromZeroToOneAndOfOneEncoding) {
  const Bytes bytes = sign(manifest({accepted(5)}), key_of(0));
  const auto with = [&](float weight) {
    return open_manifest(
        signed_again(bytes, [weight](uint8_t* all) { set(all + kEntriesAt + kWeightAt, weight); }));
  };
  for (const float good : {0.0F, 1e-45F, 0.5F, 1.0F}) EXPECT_TRUE(with(good)) << good;
  for (const float bad : {-0.0F, -1.0F, std::nextafter(1.0F, 2.0F), NAN, INFINITY, -INFINITY}) {
    EXPECT_FALSE(with(bad)) << bad;
  }
}

TEST(Manifest, AcceptedNamesBytesAndTheOthersNameNone) {
  const Bytes good = sign(manifest({accepted(5)}), key_of(0));
  const Bytes late = sign(manifest({refused(5, Verdict::kLate)}), key_of(0));
  const auto with = [](const Bytes& bytes, size_t at, uint8_t value) {
    return open_manifest(signed_again(bytes, [=](uint8_t* all) { all[kEntriesAt + at] = value; }))
        .has_value();
  };
  EXPECT_TRUE(with(late, kVerdictAt, common::kVerdictCount - 1));
  EXPECT_FALSE(with(late, kVerdictAt, common::kVerdictCount));
  EXPECT_FALSE(with(late, kVerdictAt, 255));
  EXPECT_FALSE(with(late, kVerdictAt, 0));  // Accepted, but names nothing.
  EXPECT_FALSE(with(good, kVerdictAt, 2));  // Late, but names something.
  EXPECT_FALSE(with(good, kSizeAt, 0));     // 105 bytes become none.
  EXPECT_FALSE(with(late, kSizeAt, 1));
  EXPECT_FALSE(with(late, kWeightAt, 1));  // A denormal weight for what is late.
}

TEST(Manifest, AtMost4096Entries) {
  std::vector<ManifestEntry> entries;
  for (uint16_t uid = 0; uid < kManifestEntriesMax; ++uid) entries.push_back(accepted(uid));
  const Bytes bytes = sign(manifest(entries), key_of(0));
  EXPECT_LE(bytes.size(), kManifestSizeMax);
  EXPECT_TRUE(open_manifest(bytes));
  // One more than there are, and as many as could be: refused before memory is asked for.
  for (const uint32_t count : {4095U, 4097U, ~0U}) {
    EXPECT_FALSE(
        open_manifest(signed_again(bytes, [count](uint8_t* all) { set(all + kCountAt, count); })));
  }
  EXPECT_FALSE(open_manifest(Bytes(kManifestSizeMax + 1)));
}

TEST(Manifest, IsSignedByTheLeadItNames) {
  Bytes bytes = sign(manifest({accepted(5)}), key_of(0));
  const auto other = key_of(1).sign(manifest({accepted(5)}).hash().bytes);
  std::copy(other.begin(), other.end(), bytes.end() - 64);
  EXPECT_FALSE(open_manifest(bytes));
}

TEST(ManifestDeathTest, WhatNobodyCouldOpenIsNotSigned) {
  EXPECT_DEATH(sign(manifest({accepted(2), accepted(1)}), key_of(0)), "CHECK failed");
  EXPECT_DEATH(sign(manifest({accepted(2, 1.5F)}), key_of(0)), "CHECK failed");
  EXPECT_DEATH(sign(manifest({}), key_of(1)), "CHECK failed");
}

}  // namespace
}  // namespace train
