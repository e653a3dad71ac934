#include "validator/lead.h"

#include <algorithm>

namespace validator {
namespace {

double score_of(const Scoreboard& board, const train::Gathered& gathered,
                const common::Hparams& hparams) {
  for (const Standing& standing : board.standings) {
    if (standing.uid == gathered.uid && standing.hotkey == gathered.hotkey) {
      return score(standing, hparams);
    }
  }
  return 0.0;
}

}  // namespace

train::Manifest make_manifest(train::Manifest base, std::span<const train::Gathered> opened,
                              const Scoreboard& board, const common::Hparams& hparams) {
  struct Ranked {
    double score;
    size_t entry;
  };
  std::vector<Ranked> accepted;
  base.entries.clear();
  for (const train::Gathered& one : opened) {
    train::ManifestEntry entry{.uid = one.uid, .hotkey = one.hotkey, .verdict = one.verdict};
    if (one.verdict == Verdict::kAccepted) {
      entry.plain_digest = one.contribution->digest();
      entry.plain_size = one.contribution->plain().size();
      accepted.push_back({score_of(board, one, hparams), base.entries.size()});
    }
    base.entries.push_back(entry);
  }
  // Stable, and `opened` comes by ascending uid: ties go to the lower uid.
  std::stable_sort(accepted.begin(), accepted.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  const size_t counting = std::min<size_t>(accepted.size(), hparams.outer.contributors_max);
  for (size_t i = 0; i < counting; ++i) base.entries[accepted[i].entry].weight = 1.0F;
  return base;
}

}  // namespace validator
