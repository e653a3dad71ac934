#include "validator/scoreboard.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/check.h"
#include "validator/rating.h"

namespace validator {
namespace {

using common::ByteReader;
using common::ByteWriter;
using common::Hparams;

constexpr uint32_t kVersion = 1;
constexpr uint32_t kStandingsMax = 65536;  // As many as there are uids.

// The standings of all peers, old and new, and for each row which of them is its.
struct Places {
  std::vector<Standing> standings;
  std::vector<size_t> of_row;
};

Standing beginner(const Evidence& row, const common::RatingParams& params) {
  const Rating rating = newcomer(params);
  return {.uid = row.uid, .hotkey = row.hotkey, .mu = rating.mu, .sigma = rating.sigma};
}

// Merges two lists by ascending uid.
Places place(const Scoreboard& before, const WindowEvidence& evidence, const Hparams& hparams) {
  Places places;
  auto old = before.standings.begin();
  const auto keep_old = [&] {
    places.standings.push_back(*old++);
    ++places.standings.back().waited;
    ++places.standings.back().absent;
  };
  for (const Evidence& row : evidence.peers) {
    while (old != before.standings.end() && old->uid < row.uid) keep_old();
    const bool known = old != before.standings.end() && old->uid == row.uid;
    const bool same = known && old->hotkey == row.hotkey;
    places.standings.push_back(same ? *old : beginner(row, hparams.rating));
    if (known) ++old;
    Standing& standing = places.standings.back();
    ++standing.waited;
    standing.absent = row.verdict == Verdict::kAccepted ? 0 : standing.absent + 1;
    standing.last_verdict = row.verdict;
    places.of_row.push_back(places.standings.size() - 1);
  }
  while (old != before.standings.end()) keep_old();
  return places;
}

// Line 1: what a judged row says, into its standing.
void take_signals(Standing& standing, const Evidence& row, const common::RatingParams& params) {
  const Gain common = gain_of(row.common);
  standing.waited = 0;
  ++standing.judged_count;
  standing.last_gain = common.mean;
  standing.last_gain_error = common.error;
  if (row.own.trained.samples.empty()) return;
  const double z = advantage_z(row.own);
  const double indicator = z >= params.advantage_z ? 1 : z <= -params.advantage_z ? -1 : 0;
  standing.last_advantage_z = z;
  standing.advantage =
      params.advantage_decay * standing.advantage + (1 - params.advantage_decay) * indicator;
}

struct Player {
  size_t standing;
  double gain;  // Minus infinity: at fault.
};

// Rank 0 for the largest gain; equal gains share a rank, and so do all at fault.
std::vector<uint32_t> ranks_of(const std::vector<Player>& players) {
  std::vector<double> gains;
  for (const Player& player : players) gains.push_back(player.gain);
  std::sort(gains.begin(), gains.end(), std::greater<>());
  std::vector<uint32_t> ranks;
  for (const Player& player : players) {
    const auto first = std::lower_bound(gains.begin(), gains.end(), player.gain, std::greater<>());
    ranks.push_back(static_cast<uint32_t>(first - gains.begin()));
  }
  return ranks;
}

// Line 2: one match.
void take_ranking(std::vector<Standing>& standings, const std::vector<Player>& players,
                  const common::RatingParams& params) {
  std::vector<Rating> ratings;
  for (const Player& player : players) {
    const Standing& standing = standings[player.standing];
    ratings.push_back(forget({standing.mu, standing.sigma}, params));
  }
  rate(ratings, ranks_of(players), params);
  for (size_t i = 0; i < players.size(); ++i) {
    Standing& standing = standings[players[i].standing];
    if (std::isfinite(players[i].gain)) {
      standing.mu = ratings[i].mu;
      standing.sigma = ratings[i].sigma;
    } else {
      // A weak peer tied with strong ones would gain by the tie, one below the start by
      // forgetting, and any by the certainty.
      standing.mu = std::min(standing.mu, ratings[i].mu);
    }
  }
}

// Line 3: what it costs, and how it heals.
void take_penalty(Standing& standing, Fault fault, const common::PenaltyParams& params) {
  switch (fault) {
    case Fault::kNone:
      standing.multiplier += params.recovery * (1 - standing.multiplier);
      break;
    case Fault::kMissing:
      standing.multiplier *= params.missing;
      break;
    case Fault::kInvalid:
      standing.multiplier *= params.invalid;
      break;
    case Fault::kCopied:
      standing.multiplier *= params.copied;
      break;
  }
}

Fault fault_of_verdict(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccepted:
      return Fault::kNone;
    case Verdict::kMissing:
    case Verdict::kLate:
    case Verdict::kWrongHparams:
    case Verdict::kWrongBase:
    case Verdict::kNotRevealed:
    case Verdict::kEmpty:
      return Fault::kMissing;
    case Verdict::kCopied:
      return Fault::kCopied;
    case Verdict::kMalformed:
    case Verdict::kBadSignature:
    case Verdict::kWrongWindow:
    case Verdict::kWrongShape:
    case Verdict::kOversized:
    case Verdict::kHashMismatch:
    case Verdict::kNonFinite:
    case Verdict::kUnassignedData:
    case Verdict::kReplayMismatch:
      return Fault::kInvalid;
  }
  return Fault::kInvalid;
}

void write(ByteWriter& out, const Standing& standing) {
  out.number(standing.uid.index).raw(standing.hotkey.bytes);
  out.number(standing.mu).number(standing.sigma);
  out.number(standing.advantage).number(standing.multiplier);
  out.number(standing.judged_count).number(standing.waited).number(standing.absent);
  out.number(standing.last_gain).number(standing.last_gain_error);
  out.number(standing.last_advantage_z).number(static_cast<uint8_t>(standing.last_verdict));
}

Standing read_standing(ByteReader& in) {
  Standing standing;
  standing.uid.index = in.number<uint16_t>();
  standing.hotkey.bytes = in.array<32>();
  standing.mu = in.number<double>();
  standing.sigma = in.number<double>();
  standing.advantage = in.number<double>();
  standing.multiplier = in.number<double>();
  standing.judged_count = in.number<uint64_t>();
  standing.waited = in.number<uint64_t>();
  standing.absent = in.number<uint64_t>();
  standing.last_gain = in.number<double>();
  standing.last_gain_error = in.number<double>();
  standing.last_advantage_z = in.number<double>();
  const auto verdict = common::verdict_of(in.number<uint8_t>());
  if (!verdict || !std::isfinite(standing.mu) || !std::isfinite(standing.sigma)) in.fail();
  standing.last_verdict = verdict.value_or(Verdict::kMalformed);
  return standing;
}

}  // namespace

const Standing* Scoreboard::find(Uid uid) const {
  const auto at = std::lower_bound(standings.begin(), standings.end(), uid,
                                   [](const Standing& s, Uid wanted) { return s.uid < wanted; });
  return at != standings.end() && at->uid == uid ? &*at : nullptr;
}

Hold hold_of(const Standing& standing, const Hparams& hparams) {
  const common::RatingParams& rating = hparams.rating;
  if (standing.judged_count == 0) return Hold::kUnjudged;
  if (standing.absent > kPaidAbsence) return Hold::kAbsent;
  if (standing.last_gain < -hparams.evaluation.confidence_z * standing.last_gain_error) {
    return Hold::kHarmful;
  }
  if (standing.judged_count >= rating.advantage_windows &&
      standing.advantage < rating.advantage_required) {
    return Hold::kUntrained;
  }
  return Hold::kNone;
}

std::string_view name(Hold hold) {
  switch (hold) {
    case Hold::kNone:
      return "";
    case Hold::kUnjudged:
      return "never judged";
    case Hold::kAbsent:
      return "absent for too long";
    case Hold::kHarmful:
      return "makes the model worse";
    case Hold::kUntrained:
      return "did not train on its data";
  }
  return "";
}

double score(const Standing& standing, const Hparams& hparams) {
  if (hold_of(standing, hparams) != Hold::kNone) return 0;
  const common::RatingParams& start = hparams.rating;
  const double above = (standing.mu - standing.sigma) - (start.mu - start.sigma);
  return standing.multiplier * portable_exp(above / start.sigma);
}

Fault fault_of(const Evidence& row, const common::PenaltyParams& params) {
  if (row.verdict != Verdict::kAccepted) return fault_of_verdict(row.verdict);
  if (!std::isfinite(gain_of(row.common).mean)) return Fault::kInvalid;
  return row.overlap_z > params.overlap_z ? Fault::kCopied : Fault::kNone;
}

bool waived(const WindowEvidence& evidence, const common::PenaltyParams& params) {
  const auto failed =
      std::count_if(evidence.peers.begin(), evidence.peers.end(),
                    [](const Evidence& row) { return row.verdict != Verdict::kAccepted; });
  return failed >= 2 && static_cast<double>(failed) >=
                            params.waiver_share * static_cast<double>(evidence.peers.size());
}

Scoreboard update(const Scoreboard& before, const WindowEvidence& evidence,
                  const Hparams& hparams) {
  CHECK(before.standings.empty() || evidence.window > before.window);
  if (evidence.manifest == Hash{}) {
    CHECK(evidence.peers.empty());
    return {evidence.window, before.standings};
  }
  Places places = place(before, evidence, hparams);
  const bool waive = waived(evidence, hparams.penalty);
  std::vector<Player> players;
  for (size_t i = 0; i < evidence.peers.size(); ++i) {
    const Evidence& row = evidence.peers[i];
    const size_t at = places.of_row[i];
    const bool failed = row.verdict != Verdict::kAccepted;
    if (row.judged()) take_signals(places.standings[at], row, hparams.rating);
    if (failed && waive) continue;
    const Fault fault = fault_of(row, hparams.penalty);
    if (fault != Fault::kNone) {
      players.push_back({at, -std::numeric_limits<double>::infinity()});
    } else if (row.judged()) {
      players.push_back({at, gain_of(row.common).mean});
    }
    take_penalty(places.standings[at], fault, hparams.penalty);
  }
  take_ranking(places.standings, players, hparams.rating);
  return {evidence.window, std::move(places.standings)};
}

common::Bytes serialise(const Scoreboard& board) {
  ByteWriter out;
  out.number(kVersion).number(board.window.index);
  out.number(static_cast<uint32_t>(board.standings.size()));
  for (const Standing& standing : board.standings) write(out, standing);
  return std::move(out).bytes();
}

std::optional<Scoreboard> parse_scoreboard(common::ByteView bytes) {
  ByteReader in(bytes);
  if (in.number<uint32_t>() != kVersion) return std::nullopt;
  Scoreboard board;
  board.window.index = in.number<uint64_t>();
  const auto count = in.number<uint32_t>();
  if (count > kStandingsMax) return std::nullopt;
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const Standing standing = read_standing(in);
    if (i > 0 && standing.uid <= board.standings.back().uid) in.fail();
    board.standings.push_back(standing);
  }
  if (!in.at_end()) return std::nullopt;
  return board;
}

}  // namespace validator
