// Where every peer stands, and how it got there: signals -> rating -> multipliers -> score, once a
// window, in this order (W13).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/hparams.h"
#include "validator/evidence.h"

namespace validator {

// A peer's position: all that outlives a window, penalties too (W17). Belongs to the hotkey:
// another hotkey on the same uid begins anew.
struct Standing {
  Uid uid;
  common::AccountId hotkey;
  double mu = 0;
  double sigma = 0;
  double advantage = 0;       // Moving average of the indicator: -1 to 1.
  double multiplier = 1;      // 0 to 1; penalties and recovery.
  uint64_t judged_count = 0;  // Windows in which it was judged.
  uint64_t waited = 0;        // Windows since it was judged last: who waited longest goes first.
  uint64_t absent = 0;        // Windows since its last accepted contribution; 0: in the last one.
  double last_gain = 0;       // Of the last judging: on common sequences,
  double last_gain_error = 0;
  double last_advantage_z = 0;
  Verdict last_verdict = Verdict::kAccepted;
  bool operator==(const Standing&) const = default;
};

// So many windows without an accepted contribution a peer is paid on, be it nobody's fault (its
// bucket did not answer: no row) or its own; then it waits for pay until it delivers again. Else
// whoever once ranked high could go away and earn for ever.
inline constexpr uint64_t kPaidAbsence = 3;

// Why a peer has no score.
enum class Hold {
  kNone,
  kUnjudged,   // Never judged: nothing is known.
  kAbsent,     // Without an accepted contribution for longer than kPaidAbsence.
  kHarmful,    // Its last gain is negative, and significantly so (evaluation.confidence_z).
  kUntrained,  // Its advantage is below advantage_required, after advantage_windows judged windows.
};
Hold hold_of(const Standing& standing, const common::Hparams& hparams);
// "never judged", "did not train on its data", ...; "" for none.
std::string_view name(Hold hold);

// What a peer's work is worth, at least 0:
//
//   multiplier * exp(((mu - sigma) - (mu_0 - sigma_0)) / sigma_0)       0 with a Hold
//
// mu - sigma is what the peer can be trusted to have (one deviation down); a newcomer's stands at 0
// of the exponent, so that its first judged window earns it a place among the others. The usual mu
// - 3 sigma, clipped at 0, would freeze out newcomers and the weakest of honest peers alike; here
// only what a peer did takes its pay away, and never its rank alone. Strictly monotone in mu, in
// -sigma and in the multiplier; since neither factor is negative, no penalty can raise it (W20).
double score(const Standing& standing, const common::Hparams& hparams);

// What a row says a peer did wrong.
enum class Fault { kNone, kMissing, kInvalid, kCopied };
// A verdict's class: without a contribution that counts (missing, late, not revealed, of another
// base or other hparams, empty), or with one that no honest node makes. An accepted contribution is
// at fault if its overlap is beyond overlap_z, or if it drives the loss out of the finite.
Fault fault_of(const Evidence& row, const common::PenaltyParams& params);
// At least waiver_share of the rows, and at least two, have another verdict than accepted: then it
// is not their doing, and no verdict counts against anybody in this window (W14).
bool waived(const WindowEvidence& evidence, const common::PenaltyParams& params);

struct Scoreboard {
  Window window;                    // The last one taken in.
  std::vector<Standing> standings;  // By ascending uid.
  bool operator==(const Scoreboard&) const = default;

  const Standing* find(Uid uid) const;
};

// The board after one more window: pure, no clock, no store. Peers without a row keep their
// standing (they only wait); a null window changes nothing but the window.
//   signals      gain on common sequences; the advantage's indicator into its moving average
//   rating       a match of all who were judged, by gain, and of all at fault, tied for the last
//   place.
//                Who is at fault never gains by it, in mu or in sigma, whoever else is (W12).
//   multipliers  one penalty for one row (W15), or recovery if there is no fault
// Pre: evidence.window is after before.window, or the board is empty; rows by ascending uid.
Scoreboard update(const Scoreboard& before, const WindowEvidence& evidence,
                  const common::Hparams& hparams);

// Canonical; `parse` is strict.
common::Bytes serialise(const Scoreboard& board);
std::optional<Scoreboard> parse_scoreboard(common::ByteView bytes);

}  // namespace validator
