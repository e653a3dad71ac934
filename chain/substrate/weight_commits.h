// Weights that were committed by their hash and wait to be revealed. Their salt is nowhere else: it
// stands on disk before the chain hears of the commit, until it is revealed or of no use any more.
#pragma once

#include <filesystem>
#include <vector>

#include "common/hash.h"
#include "common/keys.h"
#include "common/result.h"

namespace chain::substrate {

struct WeightCommit {
  common::Hash hash;
  std::vector<uint16_t> uids, values, salt;
  uint64_t version_key = 0;
  uint64_t block = 0;  // The chain's head when it was made.

  bool operator==(const WeightCommit&) const = default;
};

// commit = BLAKE2b-256(SCALE(account, storage index u16, uids, values, salt Vec<u16>,
// version_key)).
common::Hash commit_hash(const common::AccountId& hotkey, uint16_t netuid,
                         const WeightCommit& commit);

// A file of one hotkey's commits on one subnet of one chain. Only the user may read it.
class WeightCommitFile {
 public:
  WeightCommitFile(const std::filesystem::path& folder, const common::Hash& genesis,
                   uint16_t netuid, const common::AccountId& hotkey);

  // Empty if there is no file; kCorrupt, naming it, for one that is damaged.
  common::Result<std::vector<WeightCommit>> read() const;
  // Whole or not at all, and on the disk; at most kCommitsMax.
  common::Result<void> write(const std::vector<WeightCommit>& commits) const;

  static constexpr size_t kCommitsMax = 16;  // The chain takes ten.

 private:
  std::filesystem::path file_;
};

}  // namespace chain::substrate
