// What the ranks of one process have come to, collective by collective, and what is said of them
// when they do not come to the same.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/result.h"
#include "train/communicator.h"

namespace train {

// One thread at a time.
class Rounds {
 public:
  // One collective, until every rank has waited for it.
  struct Round {
    std::vector<Collective> begun;  // By rank,
    std::vector<bool> here;         //   of those that have come.
    size_t here_count = 0;
    size_t waited_count = 0;
    bool done = false;
  };

  explicit Rounds(size_t ranks) : ranks_(ranks) {}

  // `rank` has come to `collective`; where that is stays until all have left. kConflict: another
  // has come to another one.
  common::Result<Round*> come(size_t rank, uint64_t number, Collective collective);
  // Null where nobody has come, or all have left.
  Round* find(uint64_t number);
  bool all_came(const Round& round) const { return round.here_count == ranks_; }
  // One rank more has waited for it.
  void leave(uint64_t number);

  // kTimeout: who has not come to it; or that it does not end, though all have.
  common::Error late(uint64_t number, common::milliseconds deadline) const;
  // What the others hear.
  static common::Error gave_up(size_t rank, const common::Error& why);

 private:
  size_t ranks_;
  std::map<uint64_t, Round> rounds_;
};

}  // namespace train
