#include "train/communicator/rounds.h"

#include <utility>

#include "common/check.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;

std::string name_of(size_t rank) { return "rank " + std::to_string(rank); }

// "rank 1, rank 3"
std::string absent(const Rounds::Round& round) {
  std::string names;
  for (size_t rank = 0; rank < round.here.size(); ++rank) {
    if (!round.here[rank]) names += (names.empty() ? "" : ", ") + name_of(rank);
  }
  return names;
}

std::string describe(const Rounds::Round& round) {
  for (size_t rank = 0; rank < round.here.size(); ++rank) {
    if (round.here[rank]) return round.begun[rank].describe();
  }
  return "which nobody began";
}

}  // namespace

Result<Rounds::Round*> Rounds::come(size_t rank, uint64_t number, Collective collective) {
  Round& round = rounds_.try_emplace(number).first->second;
  round.begun.resize(ranks_);
  round.here.resize(ranks_);
  for (size_t other = 0; other < ranks_; ++other) {
    if (!round.here[other] || collective.agrees_with(round.begun[other])) continue;
    return Error{Code::kConflict, "collective " + std::to_string(number) + ": " + name_of(rank) +
                                      " came to " + collective.describe() + ", " + name_of(other) +
                                      " to " + round.begun[other].describe()};
  }
  CHECK(!round.here[rank]);
  round.begun[rank] = std::move(collective);
  round.here[rank] = true;
  ++round.here_count;
  return &round;
}

Rounds::Round* Rounds::find(uint64_t number) {
  const auto at = rounds_.find(number);
  return at == rounds_.end() ? nullptr : &at->second;
}

void Rounds::leave(uint64_t number) {
  const auto at = rounds_.find(number);
  CHECK(at != rounds_.end());
  if (++at->second.waited_count == ranks_) rounds_.erase(at);
}

Error Rounds::late(uint64_t number, common::milliseconds deadline) const {
  const Round& round = rounds_.at(number);
  const std::string what = "collective " + std::to_string(number) + ", " + describe(round) + ",";
  const std::string within = " within " + std::to_string(deadline.count()) + " ms";
  if (all_came(round)) {
    return {Code::kTimeout, what + " did not end" + within + ", though all " +
                                std::to_string(ranks_) + " ranks came to it"};
  }
  return {Code::kTimeout,
          absent(round) + " of " + std::to_string(ranks_) + " did not come to " + what + within};
}

Error Rounds::gave_up(size_t rank, const Error& why) {
  return {why.code, name_of(rank) + " gave up: " + why.message};
}

}  // namespace train
