// What a validator saw in a window. Everything else it says is computed from this by pure
// functions, so whoever has the evidence has the scores.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/keys.h"
#include "common/verdict.h"
#include "common/window.h"

namespace validator {

using common::Hash;
using common::Uid;
using common::Verdict;
using common::Window;

// Mean loss of each sequence, nats a token, before and after a contribution is tried. All of one
// length. `before` is finite; an `after` that was not a number stands here as plus infinity.
struct Losses {
  std::vector<uint64_t> samples;
  std::vector<double> before;
  std::vector<double> after;
  bool operator==(const Losses&) const = default;
};

// Mean of (before - after), paired by sequence, and the standard error of that mean.
struct Gain {
  double mean = 0;
  double error = 0;  // 0 for fewer than two sequences.
  uint32_t sequences = 0;
};
// Sums in sequence order, fp64: the same bits everywhere. A non-finite `after` makes the mean minus
// infinity and the error 0.
Gain gain_of(const Losses& losses);

// What tells whether a miner trained on its data: an update lowers the loss of what it was trained
// on more than that of other text of the same kind. The held-out set cannot be the other side of
// this comparison, because it is another kind: on real stories an update gained up to ten standard
// errors more on training data that it had never seen than on held-out data, and a free-rider would
// pass.
struct OwnLosses {
  Losses trained;  // Sequences of the miner's receipt,
  Losses control;  //   and of the training set at large, the same for all of the window.
  bool operator==(const OwnLosses&) const = default;
};

// By how many standard errors the gain on `trained` is above that on `control` (Welch's z). 0 if
// either was not measured or is not finite; infinite if the difference has no error.
double advantage_z(const OwnLosses& own);

// Of one peer. Verdicts are the manifest's: the same for every validator.
struct Evidence {
  Uid uid;
  common::AccountId hotkey;
  Verdict verdict = Verdict::kAccepted;
  Hash contribution;         // Digest of the opened contribution; zero if there is none.
  uint64_t sealed_size = 0;  // Bytes uploaded.
  Losses common;             // Held-out sequences, the same for all of the window.
  OwnLosses own;             // Empty, with `common`: not judged this time.
  double overlap = 0;        // Largest share of its indices that an earlier contribution holds,
  double overlap_z = 0;      //   in deviations above what is usual in this window.
  Uid overlap_with;          // Whose. What "earlier" means: validator/overlap.h.

  bool judged() const { return !common.samples.empty(); }
  bool operator==(const Evidence&) const = default;
};

struct WindowEvidence {
  Window window;
  Hash manifest;    // Zero: a null window, and then there are no rows.
  Hash base_root;   // State before the window: what the losses before were measured on.
  Hash seed_block;  // Hash of the first block after the seal deadline: chose the sequences.
  std::vector<Evidence> peers;  // By ascending uid, each once.
  bool operator==(const WindowEvidence&) const = default;
};

// Canonical bytes for the score store. `parse` is strict: exactly what `serialise` wrote, with uids
// ascending, at most kEvidencePeersMax rows and no number where none can be.
inline constexpr uint32_t kEvidencePeersMax = 4096;
common::Bytes serialise(const WindowEvidence& evidence);
std::optional<WindowEvidence> parse_evidence(common::ByteView bytes);

}  // namespace validator
