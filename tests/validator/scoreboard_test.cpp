// Goal: who works earns, who does not falls, and nothing else moves anybody.
// Method: one rule a test on hand-made windows; then simulated careers under fixed seeds.
#include "validator/scoreboard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/philox.h"
#include "tests/validator/support.h"
#include "validator/weights.h"

namespace validator {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const common::Hparams& hparams() {
  static const common::Hparams value = tiny_hparams();
  return value;
}

Scoreboard after(const std::vector<std::vector<Evidence>>& windows,
                 const common::Hparams& params = hparams()) {
  Scoreboard board;
  uint64_t index = 1;
  for (const auto& rows : windows) board = update(board, window_of(index++, rows), params);
  return board;
}

const Standing& of(const Scoreboard& board, uint16_t uid) {
  const Standing* standing = board.find({uid});
  CHECK(standing != nullptr);
  return *standing;
}

double score_of(const Scoreboard& board, uint16_t uid) { return score(of(board, uid), hparams()); }

std::vector<Evidence> four(double a, double b, double c, double d) {
  return {judged(0, a, a), judged(1, b, b), judged(2, c, c), judged(3, d, d)};
}

// --- Signals and rating. ---

TEST(Scoreboard, RanksByGainOnCommonSequences) {
  const Scoreboard board = after({four(0.03, 0.02, 0.01, 0.04)});
  EXPECT_GT(of(board, 3).mu, of(board, 0).mu);
  EXPECT_GT(of(board, 0).mu, of(board, 1).mu);
  EXPECT_GT(of(board, 1).mu, of(board, 2).mu);
  EXPECT_NEAR(of(board, 3).last_gain, 0.04, 1e-12);
  EXPECT_EQ(of(board, 3).judged_count, 1u);
}

TEST(Scoreboard, NewcomersEarnFromTheirFirstJudgedWindow) {
  EXPECT_GT(score_of(after({four(0.03, 0.02, 0.01, 0.001)}), 3), 0);
  const Scoreboard unjudged = after({{judged(0, 0.1, 0.1), {.uid = {1}, .hotkey = account(2)}}});
  EXPECT_EQ(score_of(unjudged, 1), 0);
  EXPECT_EQ(hold_of(of(unjudged, 1), hparams()), Hold::kUnjudged);
}

TEST(Scoreboard, ThePerpetualLastOfHonestPeersStillEarns) {
  const std::vector<std::vector<Evidence>> windows(200, four(0.04, 0.03, 0.02, 0.01));
  EXPECT_GT(score_of(after(windows), 3), 0);
}

TEST(Scoreboard, WhoMakesTheModelWorseEarnsNothing) {
  const Scoreboard board = after({four(0.03, 0.02, -0.02, -0.00001)});
  EXPECT_EQ(hold_of(of(board, 2), hparams()), Hold::kHarmful);
  EXPECT_EQ(score_of(board, 2), 0);
  EXPECT_EQ(hold_of(of(board, 3), hparams()), Hold::kNone) << "not significantly";
}

TEST(Scoreboard, ALossOutOfTheFiniteRanksLastAndCountsAsInvalid) {
  auto rows = four(0.03, 0.02, 0.01, 0.04);
  rows[3].common.after[5] = kInfinity;
  const Scoreboard board = after({rows});
  EXPECT_LT(of(board, 3).mu, of(board, 2).mu);
  EXPECT_EQ(of(board, 3).multiplier, hparams().penalty.invalid);
  EXPECT_EQ(score_of(board, 3), 0);
}

TEST(Scoreboard, MassMissingPeersNeverGain) {
  // Half of the match misses; the weakest of them would gain by the tie with stronger ones.
  auto params = hparams();
  params.penalty.waiver_share = 1;
  Scoreboard board;
  for (uint16_t uid = 0; uid < 20; ++uid) {
    board.standings.push_back({.uid = {uid},
                               .hotkey = account(static_cast<uint8_t>(uid + 1)),
                               .mu = 5.0 + 3 * uid,
                               .sigma = 6});
  }
  std::vector<Evidence> rows;
  for (uint16_t uid = 0; uid < 20; ++uid) {
    rows.push_back(uid < 10 ? failed(uid, Verdict::kMissing) : judged(uid, 0.001 * uid, 0));
  }
  const Scoreboard next = update(board, window_of(1, rows), params);
  for (uint16_t uid = 0; uid < 10; ++uid) EXPECT_LE(of(next, uid).mu, of(board, uid).mu) << uid;
}

TEST(Scoreboard, ALongTimeLeaderWhoTurnsBadFallsBelowASteadyNewcomer) {
  // W11. Leader for 200 windows; then the worst of all (harmless, so that only its rating tells).
  // The newcomer is the middle one from window 200 on.
  Scoreboard board;
  uint64_t window = 1;
  for (; window <= 200; ++window) {
    board = update(board, window_of(window, four(0.05, 0.03, 0.02, 0.01)), hparams());
  }
  ASSERT_GT(of(board, 0).mu, 35);
  uint64_t windows_needed = 0;
  for (; window <= 300 && windows_needed == 0; ++window) {
    auto rows = four(0.001, 0.03, 0.02, 0.01);
    rows.push_back(judged(4, 0.025, 0.025));
    board = update(board, window_of(window, rows), hparams());
    if (score_of(board, 0) < score_of(board, 4)) windows_needed = window - 200;
  }
  EXPECT_GT(windows_needed, 0u);
  EXPECT_LE(windows_needed, 20u);
}

// --- The own advantage. ---

TEST(Scoreboard, TheIndicatorIsTheSignOfASignificantDifference) {
  const auto decay = hparams().rating.advantage_decay;
  const Scoreboard board =
      after({{judged(0, 0.03, 0.05), judged(1, 0.05, 0.03), judged(2, 0.03, 0.0301)}});
  EXPECT_DOUBLE_EQ(of(board, 0).advantage, 1 - decay);
  EXPECT_DOUBLE_EQ(of(board, 1).advantage, decay - 1);
  EXPECT_EQ(of(board, 2).advantage, 0);
}

TEST(Scoreboard, WhoNeverTrainsOnItsDataEarnsNothingInTheEnd) {
  auto params = hparams();
  params.rating.advantage_required = 0.15;
  Scoreboard board;
  for (uint64_t window = 1; window <= params.rating.advantage_windows; ++window) {
    EXPECT_EQ(window > 1 && score(of(board, 1), params) == 0, false) << "too early: " << window;
    board =
        update(board, window_of(window, {judged(0, 0.03, 0.05), judged(1, 0.06, 0.06)}), params);
  }
  EXPECT_EQ(hold_of(of(board, 1), params), Hold::kUntrained);
  EXPECT_EQ(score(of(board, 1), params), 0);
  EXPECT_GT(score(of(board, 0), params), 0);
}

// One window of a peer whose gains are noise: what a free-rider's own advantage is.
double coin_pass_rate(double own_mean, uint64_t seed) {
  auto params = hparams();
  params.rating.advantage_required = 0.15;
  common::Philox random(seed);
  Scoreboard board;
  uint64_t passed = 0;
  constexpr uint64_t kWindows = 20000;
  for (uint64_t window = 1; window <= kWindows; ++window) {
    Evidence row = judged(0, 0, 0);
    for (double& loss : row.own.control.after) loss = 4 - random.normal();
    for (double& loss : row.own.trained.after) loss = 4 - own_mean - random.normal();
    board = update(board, window_of(window, {row}), params);
    passed += board.standings[0].advantage >= params.rating.advantage_required;
  }
  return static_cast<double>(passed) / kWindows;
}

TEST(Scoreboard, ACoinPassesInAtMostOnePercentOfWindows) {
  EXPECT_LE(coin_pass_rate(0, 1), 0.01);  // 26.9 % in the reference.
}

TEST(Scoreboard, AnHonestAdvantageOfOneDeviationPassesNearlyAlways) {
  EXPECT_GE(coin_pass_rate(1.0, 2), 0.97);
}

// --- Multipliers. ---

TEST(Scoreboard, EachVerdictCostsWhatTheHparamsSay) {
  const auto multiplier = [](Verdict verdict) {
    return of(after({{judged(0, 1, 1), judged(1, 1, 1), failed(2, verdict)}}), 2).multiplier;
  };
  const auto& penalty = hparams().penalty;
  for (uint8_t number = 1; number < common::kVerdictCount; ++number) {
    const Verdict verdict = *common::verdict_of(number);
    EXPECT_LT(multiplier(verdict), 1) << common::name(verdict);
  }
  EXPECT_EQ(multiplier(Verdict::kMissing), penalty.missing);
  EXPECT_EQ(multiplier(Verdict::kLate), penalty.missing);
  EXPECT_EQ(multiplier(Verdict::kWrongBase), penalty.missing);
  EXPECT_EQ(multiplier(Verdict::kMalformed), penalty.invalid);
  EXPECT_EQ(multiplier(Verdict::kUnassignedData), penalty.invalid);
  EXPECT_EQ(multiplier(Verdict::kCopied), penalty.copied);
}

TEST(Scoreboard, AnOverlapBeyondChanceIsACopy) {
  auto rows = four(0.01, 0.02, 0.03, 0.04);
  rows[3].overlap_z = hparams().penalty.overlap_z + 0.1;
  rows[2].overlap_z = hparams().penalty.overlap_z;
  const Scoreboard board = after({rows});
  EXPECT_EQ(of(board, 3).multiplier, hparams().penalty.copied);
  EXPECT_LT(of(board, 3).mu, of(board, 0).mu);
  EXPECT_EQ(of(board, 2).multiplier, 1);
}

TEST(Scoreboard, PenaltiesHealWithAcceptedWindowsAlone) {
  const auto& penalty = hparams().penalty;
  const std::vector<Evidence> good = {judged(0, 1, 1), judged(1, 1, 1), judged(2, 1, 1)};
  std::vector<Evidence> bad = good;
  bad[2] = failed(2, Verdict::kMissing);
  const double once = of(after({good, bad}), 2).multiplier;
  EXPECT_DOUBLE_EQ(once, penalty.missing);
  EXPECT_DOUBLE_EQ(of(after({good, bad, good}), 2).multiplier,
                   once + penalty.recovery * (1 - once));
  // Without new evidence neither the penalty nor the cure is applied again (W15).
  const std::vector<Evidence> without = {good[0], good[1]};
  EXPECT_DOUBLE_EQ(of(after({good, bad, without, without}), 2).multiplier, once);
}

TEST(Scoreboard, NobodyIsPenalisedWhenManyFailTogether) {
  const Scoreboard board = after({four(0.1, 0.2, 0.3, 0.4),
                                  {judged(0, 0.1, 0.1), failed(1, Verdict::kMissing),
                                   failed(2, Verdict::kLate), failed(3, Verdict::kNotRevealed)}});
  const Scoreboard before = after({four(0.1, 0.2, 0.3, 0.4)});
  for (uint16_t uid = 1; uid < 4; ++uid) {
    EXPECT_EQ(of(board, uid).multiplier, 1);
    EXPECT_EQ(of(board, uid).mu, of(before, uid).mu);
  }
  // One of two is not many, and one of one is not together.
  EXPECT_LT(of(after({{failed(0, Verdict::kMissing)}}), 0).multiplier, 1);
  EXPECT_LT(of(after({{judged(0, 1, 1), failed(1, Verdict::kMissing)}}), 1).multiplier, 1);
}

TEST(Scoreboard, NoFaultEverRaisesAScore) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Scoreboard board;
    for (uint64_t window = 1; window <= 30; ++window) {
      WindowEvidence evidence = random_window(window, 6, seed);
      const auto scored = [&] { return update(board, evidence, hparams()); };
      const Scoreboard clean = scored();
      for (const Verdict verdict : {Verdict::kMissing, Verdict::kMalformed, Verdict::kCopied}) {
        const Evidence kept = evidence.peers[2];
        if (kept.verdict != Verdict::kAccepted) continue;
        evidence.peers[2] = failed(2, verdict);
        if (!waived(evidence, hparams().penalty)) {
          EXPECT_LE(score_of(scored(), 2), board.find({2}) ? score_of(board, 2) : 0.0);
          EXPECT_LE(score_of(scored(), 2), score_of(clean, 2));
        }
        evidence.peers[2] = kept;
      }
      board = clean;
    }
  }
}

// --- Who is on the board. ---

TEST(Scoreboard, AnotherHotkeyOnTheUidBeginsAnew) {
  auto rows = four(0.01, 0.02, 0.03, 0.04);
  const Scoreboard before = after({rows, rows});
  rows[3].hotkey = account(77);
  rows[3].verdict = Verdict::kAccepted;
  rows[3].common = {};
  rows[3].own = {};
  const Scoreboard board = update(before, window_of(9, rows), hparams());
  EXPECT_EQ(of(board, 3).mu, hparams().rating.mu);
  EXPECT_EQ(of(board, 3).judged_count, 0u);
  EXPECT_EQ(of(board, 3).hotkey, account(77));
}

TEST(Scoreboard, WhoHasNoRowOnlyWaitsAndIsPaidOnForAWhile) {
  const auto rows = four(0.01, 0.02, 0.03, 0.04);
  const std::vector<Evidence> three = {rows[0], rows[1], rows[2]};
  Scoreboard board = after({rows});
  const Standing before = of(board, 3);
  for (uint64_t window = 2; window < 2 + kPaidAbsence; ++window) {
    board = update(board, window_of(window, three), hparams());
    EXPECT_GT(score_of(board, 3), 0);
  }
  EXPECT_EQ(of(board, 3).mu, before.mu);
  EXPECT_EQ(of(board, 3).multiplier, 1);
  EXPECT_EQ(of(board, 3).waited, kPaidAbsence);
  board = update(board, window_of(50, three), hparams());
  EXPECT_EQ(hold_of(of(board, 3), hparams()), Hold::kAbsent);
  board = update(board, window_of(51, rows), hparams());
  EXPECT_GT(score_of(board, 3), 0);
}

TEST(Scoreboard, ANullWindowChangesNothingButTheWindow) {
  const Scoreboard before = after({four(0.01, 0.02, 0.03, 0.04)});
  const Scoreboard board = update(before, {.window = {17}}, hparams());
  EXPECT_EQ(board.window, Window{17});
  EXPECT_EQ(board.standings, before.standings);
}

TEST(ScoreboardDeathTest, AWindowTwiceIsABug) {
  const Scoreboard board = after({four(0.01, 0.02, 0.03, 0.04)});
  EXPECT_DEATH(update(board, window_of(1, four(1, 1, 1, 1)), hparams()), "CHECK failed");
}

TEST(Scoreboard, EveryScoreOfALongRunIsFiniteAndNotNegative) {
  Scoreboard board;
  for (uint64_t window = 1; window <= 500; ++window) {
    board = update(board, random_window(window, 12, 3), hparams());
    for (const Standing& standing : board.standings) {
      const double value = score(standing, hparams());
      ASSERT_TRUE(std::isfinite(value) && value >= 0);
      ASSERT_TRUE(standing.multiplier >= 0 && standing.multiplier <= 1);
    }
  }
}

TEST(ScoreboardBytes, ReadBackTheSameAndEverythingElseIsRefused) {
  Scoreboard board;
  for (uint64_t w = 1; w <= 9; ++w) board = update(board, random_window(w, 5, 1), hparams());
  common::Bytes bytes = serialise(board);
  EXPECT_EQ(parse_scoreboard(bytes), board);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_scoreboard(common::ByteView(bytes).first(size)));
  }
  std::swap(board.standings[0], board.standings[1]);
  EXPECT_FALSE(parse_scoreboard(serialise(board)));
}

TEST(ScoresOf, OnlyTheLastWindowsAcceptedMayExplore) {
  auto rows = four(0.03, 0.02, -0.05, 0.04);
  rows[3] = failed(3, Verdict::kMissing);
  rows.push_back({.uid = {4}, .hotkey = account(5)});  // Accepted, not judged.
  const auto scores = scores_of(after({rows}), hparams());
  EXPECT_TRUE(scores[0].accepted);
  EXPECT_FALSE(scores[2].accepted) << "harmful";
  EXPECT_FALSE(scores[3].accepted);
  EXPECT_TRUE(scores[4].accepted);
  EXPECT_EQ(scores[4].value, 0);
}

}  // namespace
}  // namespace validator
