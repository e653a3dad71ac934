#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "common/check.h"
#include "train/communicator.h"
#include "train/communicator/collective.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;

std::string name_of(size_t rank) { return "rank " + std::to_string(rank); }

// One collective, until every rank has waited for it.
struct Round {
  std::vector<Collective> begun;  // By rank,
  std::vector<bool> here;         //   of those that have come.
  size_t here_count = 0;
  bool done = false;
  size_t waited_count = 0;

  explicit Round(size_t ranks) : begun(ranks), here(ranks) {}

  // "rank 1, rank 3"
  std::string absent() const {
    std::string names;
    for (size_t rank = 0; rank < here.size(); ++rank) {
      if (!here[rank]) names += (names.empty() ? "" : ", ") + name_of(rank);
    }
    return names;
  }
};

}  // namespace

// What the ranks share. Rounds are carried out without the lock: nobody else touches the memory of
// a round that all have come to and that is not done.
struct ThreadRanks::Hub {
  const size_t ranks;
  const common::milliseconds deadline;
  std::mutex mutex;
  std::condition_variable changed;
  // Everything below is under the mutex.
  std::map<uint64_t, Round> rounds;
  std::optional<Error> failure;
  size_t working = 0;  // Rounds that are being carried out.

  Hub(size_t count, common::milliseconds patience) : ranks(count), deadline(patience) {}

  void fail(Error why) {
    if (!failure) failure = std::move(why);
    changed.notify_all();
  }

  void begin(size_t rank, uint64_t number, Collective collective) {
    std::unique_lock lock(mutex);
    if (failure) return;
    Round& round = rounds.try_emplace(number, ranks).first->second;
    for (size_t other = 0; other < ranks; ++other) {
      if (!round.here[other]) continue;
      if (!collective.agrees_with(round.begun[other])) {
        return fail({Code::kConflict, "collective " + std::to_string(number) + ": " +
                                          name_of(rank) + " came to " + collective.describe() +
                                          ", " + name_of(other) + " to " +
                                          round.begun[other].describe()});
      }
    }
    round.begun[rank] = std::move(collective);
    round.here[rank] = true;
    if (++round.here_count < ranks) return;
    ++working;
    lock.unlock();
    carry_out(round.begun);
    lock.lock();
    --working;
    round.done = true;
    changed.notify_all();
  }

  Result<void> wait(uint64_t number) {
    std::unique_lock lock(mutex);
    const auto at = rounds.find(number);
    CHECK_MSG(failure || at != rounds.end(), "waited for twice");
    const auto ends = [&] { return failure || at->second.done; };
    if (!changed.wait_for(lock, deadline, ends) && at->second.here_count < ranks) {
      const Round& round = at->second;
      fail({Code::kTimeout, round.absent() + " of " + std::to_string(ranks) + " did not come to " +
                                "collective " + std::to_string(number) + ", " + describe(round) +
                                ", within " + std::to_string(deadline.count()) + " ms"});
    }
    // What is being carried out ends soon: it only copies and adds.
    changed.wait(lock, [&] { return working == 0 || (at != rounds.end() && at->second.done); });
    if (at == rounds.end() || !at->second.done) return *failure;
    if (++at->second.waited_count == ranks) rounds.erase(at);
    return {};
  }

  void abort(size_t rank, const Error& why) {
    std::unique_lock lock(mutex);
    fail({why.code, name_of(rank) + " gave up: " + why.message});
    changed.wait(lock, [&] { return working == 0; });
  }

 private:
  static std::string describe(const Round& round) {
    for (size_t rank = 0; rank < round.here.size(); ++rank) {
      if (round.here[rank]) return round.begun[rank].describe();
    }
    return "which nobody began";
  }
};

class ThreadRanks::Rank final : public Communicator {
 public:
  Rank(Hub& hub, int rank) : hub_(hub), rank_(rank) {}

  int rank() const override { return rank_; }
  int ranks() const override { return static_cast<int>(hub_.ranks); }

  Pending begin(Collective collective) override {
    const Pending pending{next_++};
    hub_.begin(static_cast<size_t>(rank_), pending.number, std::move(collective));
    return pending;
  }
  Result<void> wait(Pending pending) override { return hub_.wait(pending.number); }
  void abort(Error why) override { hub_.abort(static_cast<size_t>(rank_), why); }

 private:
  Hub& hub_;
  int rank_;
  uint64_t next_ = 0;
};

ThreadRanks::ThreadRanks(int ranks, common::milliseconds deadline)
    : hub_(std::make_unique<Hub>(static_cast<size_t>(ranks), deadline)) {
  CHECK(ranks > 0);
  for (int rank = 0; rank < ranks; ++rank) ranks_.push_back(std::make_unique<Rank>(*hub_, rank));
}

ThreadRanks::~ThreadRanks() = default;

int ThreadRanks::count() const { return static_cast<int>(ranks_.size()); }

Communicator& ThreadRanks::operator[](int rank) { return *ranks_[static_cast<size_t>(rank)]; }

Result<void> ThreadRanks::run(const std::function<Result<void>(Communicator&)>& work) {
  std::mutex mutex;
  std::optional<Error> first;
  {
    std::vector<std::jthread> threads;
    for (const auto& rank : ranks_) {
      threads.emplace_back([&work, &mutex, &first, &communicator = *rank] {
        const Result<void> result = work(communicator);
        if (result) return;
        {
          const std::lock_guard lock(mutex);
          if (!first) first = result.error();
        }
        communicator.abort(result.error());
      });
    }
  }
  if (first) return *first;
  return {};
}

}  // namespace train
