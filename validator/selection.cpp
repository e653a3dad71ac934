#include "validator/selection.h"

#include <algorithm>
#include <limits>

namespace validator {

std::vector<Uid> select(const Scoreboard& board, std::span<const Uid> accepted,
                        const Hash& seed_block, const common::EvaluationParams& params) {
  struct Candidate {
    Uid uid;
    uint64_t waited;
    Hash draw;
  };
  std::vector<Candidate> candidates;
  for (const Uid uid : accepted) {
    const Standing* standing = board.find(uid);
    const bool never = standing == nullptr || standing->judged_count == 0;
    candidates.push_back({uid, never ? std::numeric_limits<uint64_t>::max() : standing->waited,
                          common::Hasher().update(seed_block.bytes).number(uid.index).finish()});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.waited != b.waited ? a.waited > b.waited : a.draw < b.draw;
  });
  if (candidates.size() > params.contributions_max) candidates.resize(params.contributions_max);
  std::vector<Uid> chosen;
  for (const Candidate& candidate : candidates) chosen.push_back(candidate.uid);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace validator
