#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "common/check.h"
#include "train/communicator.h"
#include "train/communicator/collective.h"
#include "train/communicator/rounds.h"

namespace train {

using common::Error;
using common::Result;

// What the ranks share. Rounds are carried out without the lock: nobody else touches the memory of
// a round that all have come to and that is not done.
struct ThreadRanks::Hub {
  const size_t ranks;
  const common::milliseconds deadline;
  std::mutex mutex;
  std::condition_variable changed;
  // Everything below is under the mutex.
  Rounds rounds;
  std::optional<Error> failure;
  size_t working = 0;  // Rounds that are being carried out.

  Hub(size_t count, common::milliseconds patience)
      : ranks(count), deadline(patience), rounds(count) {}

  void fail(Error why) {
    if (!failure) failure = std::move(why);
    changed.notify_all();
  }

  void begin(size_t rank, uint64_t number, Collective collective) {
    std::unique_lock lock(mutex);
    if (failure) return;
    const auto come = rounds.come(rank, number, std::move(collective));
    if (!come) return fail(come.error());
    Rounds::Round& round = **come;
    if (!rounds.all_came(round)) return;
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
    const Rounds::Round* const round = rounds.find(number);
    CHECK_MSG(failure || round != nullptr, "waited for twice");
    const auto ends = [&] { return failure || round->done; };
    if (!changed.wait_for(lock, deadline, ends) && !rounds.all_came(*round)) {
      fail(rounds.late(number, deadline));
    }
    // What is being carried out ends soon: it only copies and adds.
    changed.wait(lock, [&] { return working == 0 || (round != nullptr && round->done); });
    if (round == nullptr || !round->done) return *failure;
    rounds.leave(number);
    return {};
  }

  void abort(size_t rank, const Error& why) {
    std::unique_lock lock(mutex);
    fail(Rounds::gave_up(rank, why));
    changed.wait(lock, [&] { return working == 0; });
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

}  // namespace train
