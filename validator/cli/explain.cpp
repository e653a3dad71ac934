#include "validator/cli/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "validator/rating.h"

namespace validator::cli {
namespace {

using common::Code;
using common::Error;
using common::Hparams;
using common::Result;

// What the lines are made from.
struct Case {
  const Record& record;
  const Hparams& hparams;
  const Evidence* row;  // None: no row in this window.
  Standing before;      // A newcomer's, if it was not on the board.
  Standing after;
};

std::string gain_line(const char* kind, const Losses& losses) {
  if (losses.samples.empty()) return fmt::format("  {:<13}not judged\n", kind);
  const Gain gain = gain_of(losses);
  double before = 0;
  double after = 0;
  for (size_t i = 0; i < losses.samples.size(); ++i) {
    before += losses.before[i] / gain.sequences;
    after += losses.after[i] / gain.sequences;
  }
  return fmt::format(
      "  {:<13}gain {:+.5f} +- {:.5f} nats a token on {} sequences (loss {:.4f} -> {:.4f})\n", kind,
      gain.mean, gain.error, gain.sequences, before, after);
}

std::string evidence_lines(const Case& one) {
  if (one.row == nullptr) {
    return "1 evidence     none: its bucket did not answer, or the manifest has no entry for it;\n"
           "               nobody's fault, and nothing changes but the waiting\n";
  }
  const Evidence& row = *one.row;
  std::string out = fmt::format("1 evidence     {}", name(row.verdict));
  if (row.verdict == Verdict::kAccepted) {
    out += fmt::format("; contribution {}, {} bytes sealed", row.contribution.brief(),
                       row.sealed_size);
  }
  out += fmt::format("\n{}{}", gain_line("common", row.common), gain_line("own", row.own.trained));
  out += gain_line("control", row.own.control);
  if (row.overlap > 0) {
    out += fmt::format(
        "  overlap      {:.1f} % of its indices, with uid {}{}; z {:.2f} (a copy above {})\n",
        100 * row.overlap, row.overlap_with.index,
        row.overlap_with == row.uid ? " (its own last)" : "", row.overlap_z,
        one.hparams.penalty.overlap_z);
  }
  return out;
}

std::string advantage_lines(const Case& one) {
  const common::RatingParams& params = one.hparams.rating;
  std::string out = "2 advantage    ";
  if (one.row == nullptr || one.row->own.trained.samples.empty()) {
    out += fmt::format("not measured; average stays {:+.3f}\n", one.after.advantage);
  } else {
    const double z = one.after.last_advantage_z;
    const char* indicator = z >= params.advantage_z ? "+1" : z <= -params.advantage_z ? "-1" : "0";
    out += fmt::format(
        "(own - control) is {:+.2f} of its errors, so {} (from {} on); average {:+.3f} -> "
        "{:+.3f}\n",
        z, indicator, params.advantage_z, one.before.advantage, one.after.advantage);
  }
  return out + fmt::format("               asked for: {} from {} judged windows on; it has {}\n",
                           params.advantage_required, params.advantage_windows,
                           one.after.judged_count);
}

std::string rating_line(const Case& one) {
  const std::string moved =
      fmt::format("mu {:.3f} -> {:.3f}, sigma {:.3f} -> {:.3f}\n", one.before.mu, one.after.mu,
                  one.before.sigma, one.after.sigma);
  if (one.row == nullptr) return fmt::format("3 rating       did not play; {}", moved);
  const bool failed = one.row->verdict != Verdict::kAccepted;
  if (failed && waived(one.record.evidence, one.hparams.penalty)) {
    return fmt::format("3 rating       did not play: many failed together; {}", moved);
  }
  if (fault_of(*one.row, one.hparams.penalty) != Fault::kNone) {
    return fmt::format("3 rating       last, with all at fault; {}", moved);
  }
  if (!one.row->judged()) return fmt::format("3 rating       not its turn to be judged; {}", moved);
  const double gain = gain_of(one.row->common).mean;
  size_t better = 0;
  size_t judged = 0;
  for (const Evidence& other : one.record.evidence.peers) {
    if (!other.judged()) continue;
    ++judged;
    if (fault_of(other, one.hparams.penalty) == Fault::kNone) {
      better += gain_of(other.common).mean > gain;
    }
  }
  return fmt::format("3 rating       rank {} of {} judged, by common gain; {}", better + 1, judged,
                     moved);
}

std::string multiplier_line(const Case& one) {
  const common::PenaltyParams& params = one.hparams.penalty;
  const std::string moved =
      fmt::format("{:.4f} -> {:.4f}\n", one.before.multiplier, one.after.multiplier);
  if (one.row == nullptr) return fmt::format("4 multiplier   no new evidence: {}", moved);
  if (one.row->verdict != Verdict::kAccepted && waived(one.record.evidence, params)) {
    return fmt::format("4 multiplier   waived, since many failed together: {}", moved);
  }
  switch (fault_of(*one.row, params)) {
    case Fault::kNone:
      return fmt::format("4 multiplier   no fault, {:.0f} % of the way to 1: {}",
                         100 * params.recovery, moved);
    case Fault::kMissing:
      return fmt::format("4 multiplier   nothing that counts, times {}: {}", params.missing, moved);
    case Fault::kInvalid:
      return fmt::format("4 multiplier   invalid, times {}: {}", params.invalid, moved);
    case Fault::kCopied:
      return fmt::format("4 multiplier   copied, times {}: {}", params.copied, moved);
  }
  return "";
}

std::string score_line(const Case& one) {
  const Standing& s = one.after;
  const double value = score(s, one.hparams);
  const Hold hold = hold_of(s, one.hparams);
  if (hold != Hold::kNone) {
    std::string why(name(hold));
    if (hold == Hold::kHarmful) {
      why += fmt::format(" (last gain {:+.5f}, below -{} x {:.5f})", s.last_gain,
                         one.hparams.evaluation.confidence_z, s.last_gain_error);
    } else if (hold == Hold::kAbsent) {
      why += fmt::format(" ({} windows without an accepted contribution, {} are paid)", s.absent,
                         kPaidAbsence);
    } else if (hold == Hold::kUntrained) {
      why += fmt::format(" (average advantage {:+.3f}, {} is asked for)", s.advantage,
                         one.hparams.rating.advantage_required);
    }
    return fmt::format("5 score        0: {}\n", why);
  }
  const common::RatingParams& start = one.hparams.rating;
  return fmt::format(
      "5 score        {:.4f} x exp((({:.3f} - {:.3f}) - ({:.3f} - {:.3f})) / {:.3f}) = {:.6f}\n",
      s.multiplier, s.mu, s.sigma, start.mu, start.sigma, start.sigma, value);
}

std::string weight_line(const Case& one) {
  double share = 0;
  for (const Share& each : one.record.weights) {
    if (each.uid == one.after.uid) share = each.share;
  }
  const auto scores = scores_of(one.record.board, one.hparams);
  const double value = score(one.after, one.hparams);
  size_t rank = 1;
  bool accepted = false;
  for (const Score& other : scores) {
    if (other.uid == one.after.uid) accepted = other.accepted;
    rank += other.value > value || (other.value == value && other.uid < one.after.uid);
  }
  const common::WeightParams& params = one.hparams.weights;
  const char* tier = "no tier";
  if (value > 0 && rank <= params.gather_count) {
    tier = "gathered tier";
  } else if (value > 0 && rank <= size_t{params.gather_count} + params.reserve_count) {
    tier = "reserve tier";
  } else if (accepted) {
    tier = "exploration";
  }
  return fmt::format("6 weight       {:.6f} of 1: rank {} of {}, {}\n", share, rank, scores.size(),
                     tier);
}

}  // namespace

Result<std::string> explain(const Record& record, const Scoreboard& before, Uid uid,
                            const Hparams& hparams) {
  const Standing* after = record.board.find(uid);
  if (after == nullptr) {
    return Error{Code::kNotFound, fmt::format("uid {} was not on the board in window {}", uid.index,
                                              record.evidence.window.index)};
  }
  const Rating start = newcomer(hparams.rating);
  Case one{.record = record,
           .hparams = hparams,
           .row = nullptr,
           .before = {.uid = uid, .hotkey = after->hotkey, .mu = start.mu, .sigma = start.sigma},
           .after = *after};
  const Standing* known = before.find(uid);
  const bool same = known != nullptr && known->hotkey == after->hotkey;
  if (same) one.before = *known;
  for (const Evidence& row : record.evidence.peers) {
    if (row.uid == uid) one.row = &row;
  }
  return fmt::format("Window {}, uid {}, hotkey {}{}\n", record.evidence.window.index, uid.index,
                     after->hotkey.ss58(), same ? "" : " (new)") +
         evidence_lines(one) + advantage_lines(one) + rating_line(one) + multiplier_line(one) +
         score_line(one) + weight_line(one);
}

}  // namespace validator::cli
