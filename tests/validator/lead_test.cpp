// Goal: the manifest names what counts, best scores first, and nobody without evidence.
// Method: small windows by hand.
#include "validator/lead.h"

#include <gtest/gtest.h>

#include "tests/train/small_subnet.h"
#include "tests/validator/support.h"

namespace validator {
namespace {

train::Gathered opened(uint16_t uid, Verdict verdict = Verdict::kAccepted) {
  static const train::SmallSubnet subnet(8);
  train::Gathered one{
      .uid = {uid}, .hotkey = account(static_cast<uint8_t>(uid + 1)), .verdict = verdict};
  if (verdict == Verdict::kAccepted) one.contribution = subnet.stored(subnet.work(uid, {1}, {}));
  return one;
}

std::vector<train::Gathered> opened(std::initializer_list<uint16_t> uids) {
  std::vector<train::Gathered> all;
  for (const uint16_t uid : uids) all.push_back(opened(uid));
  return all;
}

std::vector<uint16_t> counting(const train::Manifest& manifest) {
  std::vector<uint16_t> uids;
  for (const auto& entry : manifest.counting()) uids.push_back(entry.uid.index);
  return uids;
}

TEST(MakeManifest, TheBestCountAndTheOthersStillGetAVerdict) {
  common::Hparams hparams = tiny_hparams();
  hparams.outer.contributors_max = 2;
  Scoreboard board = update(
      {}, window_of(1, {judged(0, 0.01, 0.01), judged(1, 0.03, 0.03), judged(2, 0.02, 0.02)}),
      hparams);
  std::vector<train::Gathered> all = opened({0, 1, 2});
  all.push_back(opened(3, Verdict::kLate));
  all.push_back(opened(4));
  const train::Manifest manifest =
      make_manifest({.netuid = 7, .window = {2}, .base_root = digest(9)}, all, board, hparams);
  EXPECT_EQ(manifest.netuid, 7);
  EXPECT_EQ(manifest.base_root, digest(9));
  ASSERT_EQ(manifest.entries.size(), 5u);
  EXPECT_EQ(counting(manifest), (std::vector<uint16_t>{1, 2}));
  EXPECT_EQ(manifest.entries[0].verdict, Verdict::kAccepted);
  EXPECT_EQ(manifest.entries[0].plain_digest, all[0].contribution->digest());
  EXPECT_EQ(manifest.entries[0].plain_size, all[0].contribution->plain().size());
  EXPECT_EQ(manifest.entries[3].verdict, Verdict::kLate);
  EXPECT_EQ(manifest.entries[3].plain_digest, Hash{});
}

TEST(MakeManifest, EqualScoresGoToTheLowerUid) {
  common::Hparams hparams = tiny_hparams();
  hparams.outer.contributors_max = 2;
  const std::vector<train::Gathered> all = opened({5, 6, 7});
  EXPECT_EQ(counting(make_manifest({}, all, {}, hparams)), (std::vector<uint16_t>{5, 6}));
}

TEST(MakeManifest, ABoardOfAnotherHotkeyDoesNotCount) {
  common::Hparams hparams = tiny_hparams();
  hparams.outer.contributors_max = 1;
  Scoreboard board =
      update({}, window_of(1, {judged(0, 0.01, 0.01), judged(1, 0.03, 0.03)}), hparams);
  std::vector<train::Gathered> all = opened({0, 1});
  EXPECT_EQ(counting(make_manifest({}, all, board, hparams)), (std::vector<uint16_t>{1}));
  all[1].hotkey = account(99);
  EXPECT_EQ(counting(make_manifest({}, all, board, hparams)), (std::vector<uint16_t>{0}));
}

TEST(MakeManifest, NobodyOpenedIsAManifestWithoutEntries) {
  EXPECT_TRUE(make_manifest({}, {}, {}, tiny_hparams()).entries.empty());
}

}  // namespace
}  // namespace validator
