#include "validator/audit.h"

#include <bit>

namespace validator {
namespace {

using common::Result;

class Findings {
 public:
  void add(std::string sentence) {
    audit_.ok = false;
    if (audit_.differences.size() < kDifferencesMax) {
      audit_.differences.push_back(std::move(sentence));
    }
  }
  void add(Window window, const std::string& sentence) {
    add("window " + std::to_string(window.index) + ": " + sentence);
  }
  void count(const Record& record) {
    ++audit_.windows;
    audit_.peers += record.evidence.peers.size();
  }
  Audit take() { return std::move(audit_); }

 private:
  Audit audit_;
};

bool same_bits(const std::vector<Share>& a, const std::vector<Share>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].uid != b[i].uid) return false;
    if (std::bit_cast<uint64_t>(a[i].share) != std::bit_cast<uint64_t>(b[i].share)) return false;
  }
  return true;
}

// Names the peers whose standings differ.
void compare_boards(const Scoreboard& stored, const Scoreboard& ours, Findings& findings) {
  for (const Standing& standing : ours.standings) {
    const Standing* theirs = stored.find(standing.uid);
    const std::string uid = "uid " + std::to_string(standing.uid.index);
    if (theirs == nullptr) {
      findings.add(ours.window, uid + " has no standing");
    } else if (serialise(Scoreboard{{}, {*theirs}}) != serialise(Scoreboard{{}, {standing}})) {
      findings.add(ours.window, "the standing of " + uid + " is not what its evidence gives");
    }
  }
  for (const Standing& standing : stored.standings) {
    if (ours.find(standing.uid) == nullptr) {
      findings.add(ours.window,
                   "uid " + std::to_string(standing.uid.index) + " has a standing from nowhere");
    }
  }
}

}  // namespace

Result<Audit> audit(const ScoreStore& store, const common::Hparams& hparams) {
  TRY(const std::vector<Window> windows, store.windows());
  Findings findings;
  Scoreboard board;
  Hash previous;
  bool linked = true;  // Whether the record before was read, so that there is a link to check.
  for (const Window window : windows) {
    auto record = store.read(window);
    if (!record) {
      findings.add(record.error().message);
      linked = false;
      continue;
    }
    findings.count(*record);
    if (linked && record->previous != previous) {
      findings.add(window, "does not follow the record before it");
    }
    if (linked) {
      const Scoreboard ours = update(board, record->evidence, hparams);
      compare_boards(record->board, ours, findings);
    }
    const auto scores = scores_of(record->board, hparams);
    if (!same_bits(record->weights, weights(scores, hparams.weights))) {
      findings.add(window, "the weights are not what the standings give");
    }
    previous = record->hash;
    board = std::move(record->board);
    linked = true;
  }
  for (const std::string& trouble : store.troubles()) findings.add(trouble);
  return findings.take();
}

}  // namespace validator
