// Goal: evidence means what it says, and has one byte string.
// Method: worked examples; every prefix and every changed byte of a serialised window is refused or
// is another window.
#include "validator/evidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/validator/support.h"

namespace validator {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Gain, IsTheMeanOfPairedDifferencesWithItsError) {
  // Differences 1, 2, 3: mean 2, variance 1, error sqrt(1 / 3).
  const Gain gain = gain_of({{7, 8, 9}, {3, 4, 5}, {2, 2, 2}});
  EXPECT_DOUBLE_EQ(gain.mean, 2);
  EXPECT_DOUBLE_EQ(gain.error, std::sqrt(1.0 / 3));
  EXPECT_EQ(gain.sequences, 3u);
}

TEST(Gain, OneSequenceHasNoErrorAndNoneHasNoGain) {
  EXPECT_DOUBLE_EQ(gain_of({{7}, {3}, {2}}).mean, 1);
  EXPECT_EQ(gain_of({{7}, {3}, {2}}).error, 0);
  EXPECT_EQ(gain_of({}).mean, 0);
  EXPECT_EQ(gain_of({}).sequences, 0u);
}

TEST(Gain, OneSequenceThatBlowsUpIsMinusInfinity) {
  const Gain gain = gain_of({{7, 8}, {3, 3}, {2, kInfinity}});
  EXPECT_EQ(gain.mean, -kInfinity);
  EXPECT_EQ(gain.error, 0);
}

TEST(AdvantageZ, IsTheDifferenceInItsOwnErrors) {
  // 16 values of +-s have the error s / sqrt(15).
  const double s = 0.3 * std::sqrt(15.0);
  const double t = 0.4 * std::sqrt(15.0);
  EXPECT_NEAR(advantage_z({losses(3, s), losses(1, t)}), 4, 1e-12);  // 2 / 0.5
  EXPECT_NEAR(advantage_z({losses(1, s), losses(3, t)}), -4, 1e-12);
  EXPECT_EQ(advantage_z({losses(1, 0), losses(1, 0)}), 0);
  EXPECT_EQ(advantage_z({losses(2, 0), losses(1, 0)}), kInfinity);
  EXPECT_EQ(advantage_z({{}, losses(1, t)}), 0) << "not measured";
  EXPECT_EQ(advantage_z({losses(2, s), losses(-kInfinity, 0)}), 0) << "nothing to compare with";
}

WindowEvidence sample_window() {
  WindowEvidence evidence =
      window_of(12, {judged(1, 0.1, 0.2), failed(3, Verdict::kMissing), judged(300, -0.1, 0.0)});
  evidence.peers[2].common.after[3] = kInfinity;
  evidence.peers[0].overlap = 0.25;
  evidence.peers[0].overlap_z = -1.5;
  return evidence;
}

TEST(EvidenceBytes, ReadBackTheSame) {
  const WindowEvidence evidence = sample_window();
  EXPECT_EQ(parse_evidence(serialise(evidence)), evidence);
  EXPECT_EQ(parse_evidence(serialise(WindowEvidence{})), WindowEvidence{});
}

TEST(EvidenceBytes, APrefixOrASuffixIsRefused) {
  common::Bytes bytes = serialise(sample_window());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_evidence(common::ByteView(bytes).first(size))) << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(parse_evidence(bytes));
}

TEST(EvidenceBytes, AChangedByteIsRefusedOrIsSomethingElse) {
  const WindowEvidence evidence = sample_window();
  const common::Bytes bytes = serialise(evidence);
  for (size_t at = 0; at < bytes.size(); ++at) {
    common::Bytes changed = bytes;
    changed[at] ^= 0x41;
    const auto parsed = parse_evidence(changed);
    if (!parsed) continue;
    EXPECT_EQ(serialise(*parsed), changed) << "two byte strings of one value, at " << at;
  }
}

TEST(EvidenceBytes, RowsOutOfOrderAndNumbersThatAreNoneAreRefused) {
  WindowEvidence evidence = sample_window();
  std::swap(evidence.peers[0], evidence.peers[1]);
  EXPECT_FALSE(parse_evidence(serialise(evidence)));
  evidence = sample_window();
  evidence.peers[0].common.before[0] = kInfinity;
  EXPECT_FALSE(parse_evidence(serialise(evidence)));
  evidence = sample_window();
  evidence.peers[0].own.trained.after[0] = std::nan("");
  EXPECT_FALSE(parse_evidence(serialise(evidence)));
}

TEST(EvidenceBytes, AnAbsurdLengthAsksForNoMemory) {
  common::Bytes bytes = serialise(window_of(1, {judged(1, 0.1, 0.2)}));
  // version 4 | window 8 | three hashes 96 | count 4 | uid 2 | hotkey 32 | verdict 1 | hash 32 |
  // size 8
  const size_t at = 4 + 8 + 96 + 4 + 2 + 32 + 1 + 32 + 8;
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = 0xFF;
  EXPECT_FALSE(parse_evidence(bytes));
}

}  // namespace
}  // namespace validator
