// From scores to shares of what miners earn.
#pragma once

#include <span>
#include <vector>

#include "chain/ledger.h"
#include "common/hparams.h"
#include "validator/scoreboard.h"

namespace validator {

struct Share {
  Uid uid;
  double share = 0;
  bool operator==(const Share&) const = default;
};

// What a peer brings to the payout.
struct Score {
  Uid uid;
  double value = 0;       // score(standing); higher is better, at least 0.
  bool accepted = false;  // Its last contribution counted or could have: it may explore.
};

// What a board brings: `accepted` are those with an accepted contribution in the last window and no
// Hold but that they were never judged.
std::vector<Score> scores_of(const Scoreboard& board, const common::Hparams& hparams);

// A share for each of `scores` and for burn_uid, by ascending uid; at least 0; they sum to 1
// (within 1e-12). The order of `scores` does not matter; uids are distinct (CHECK).
//
//   burn         burn_share, exactly, to burn_uid, before anybody; then burn_uid earns nothing else
//   gathered     the best gather_count scores above 0 (equal scores: the lower uid first) share
//   gather_share
//                of the rest, on a straight line from top_ratio for the first to 1 for the last
//   reserve      the next reserve_count share what is neither gathered's nor exploration's, each
//   with
//                reserve_decay of the one before, or with as much more as the last condition below
//                asks for
//   exploration  exploration_share evenly among the reserve and all others that are accepted:
//   whoever works
//                gets something, whatever its rank (W19)
//
// These shares are real (W18) as long as nobody of a lower tier would earn more than the last
// gathered: the reserve first decays more slowly; what still is too much, and what a tier without
// peers cannot take, goes to the gathered tier. Monotone, therefore: among the accepted, a higher
// score never earns less. With nobody gathered, all but the exploration is burned too.
std::vector<Share> weights(std::span<const Score> scores, const common::WeightParams& params);

// As the chain stores them: the largest share is 65,535, the others in proportion, rounded half up;
// zeros are left out.
std::vector<chain::Weight> to_chain_weights(std::span<const Share> shares);

}  // namespace validator
