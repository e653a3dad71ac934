// Whom to judge in a window: the same choice on every validator that has the same board.
#pragma once

#include <span>
#include <vector>

#include "common/hparams.h"
#include "validator/scoreboard.h"

namespace validator {

// Up to contributions_max of `accepted` (distinct), who waited longest first (a peer never judged
// has waited for ever); ties are drawn by `seed_block`, unknown before the deadline. By ascending
// uid.
std::vector<Uid> select(const Scoreboard& board, std::span<const Uid> accepted,
                        const Hash& seed_block, const common::EvaluationParams& params);

}  // namespace validator
