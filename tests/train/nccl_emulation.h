// NCCL and cards' second streams for machines without: what the ranks put on their streams is
// exchanged by a thread of its own, in the host's memory, once all have come. Stricter than the
// real ones: whoever does what is not allowed is told.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/result.h"
#include "train/backend.h"
#include "train/communicator.h"

namespace train::cuda {

// What connects the cards of one process.
class EmulatedWire {
 public:
  enum class Status { kSuccess, kInProgress, kInvalidUsage, kRemoteError };
  static constexpr int kNobody = -1;
  static constexpr size_t kNever = std::numeric_limits<size_t>::max();

  // What goes wrong.
  struct Faults {
    int refused = kNobody;             // This rank's communicator is not made,
    int silent = kNobody;              //   or is never ready.
    int broken = kNobody;              // This rank's NCCL fails,
    size_t broken_at = 0;              //   at this collective.
    size_t stuck = kNever;             // This collective never ends.
    int refusing = kNobody;            // This rank's calls are refused.
    common::milliseconds transfer{0};  // How long each takes.
  };

  enum class Kind { kAllReduce, kReduceScatter, kReduce, kAllGather, kBroadcast };
  struct Call {
    Kind kind;
    const void* in;
    void* out;
    size_t count;  // As NCCL counts: of a rank's part in kReduceScatter and kAllGather.
    size_t width;  // Of a value, in bytes.
    int root;
    std::string describe() const;
  };
  using Calls = std::vector<Call>;  // Of one group.

  // One rank's.
  struct End {
    EmulatedWire* wire = nullptr;
    int rank = 0;
    // Under the wire's mutex.
    bool made = false;
    bool aborted = false;
    bool follows = false;  // The stream has been told what to come after.
    int looks_left = 0;    // Until what was called is on the stream: "in progress".
    Calls called;
    std::vector<Calls> launched;
    Status error = Status::kSuccess;
  };

  explicit EmulatedWire(int ranks) : EmulatedWire(ranks, Faults{}) {}
  EmulatedWire(int ranks, Faults faults);
  ~EmulatedWire();
  EmulatedWire(const EmulatedWire&) = delete;
  EmulatedWire& operator=(const EmulatedWire&) = delete;

  // "all_gather 8", "reduce 3 to 0 + reduce 2 to 1": what this rank has put on its stream.
  std::vector<std::string> calls(int rank);
  int aborted_count();
  End* end(int rank) { return &ends_[static_cast<size_t>(rank)]; }

  // NCCL's.
  Status make(End** comm, int rank);
  Status abort(End* comm);
  Status look(End* comm, Status* status);
  Status call(End* comm, End* stream, Call call);
  static Status group_start();
  static Status group_end();

  // The stream's.
  static void use(int rank);
  void follow(End& end);
  size_t mark(End& end);
  bool passed(size_t mark);
  void drain(End& end);

 private:
  Status begin(End& end);
  bool is_ready() const;
  bool any_aborted() const;
  void work();

  const Faults faults_;
  std::vector<End> ends_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t done_ = 0;       // So many collectives have ended;
  bool working_ = false;  //   one is being carried out.
  bool closing_ = false;
  std::thread worker_;
};

// Ranks on a wire; both outlive them. Errors: make_card_ranks.
common::Result<std::unique_ptr<Ranks>> make_emulated_ranks(EmulatedWire& wire,
                                                           std::span<Backend* const> backends,
                                                           common::milliseconds deadline);

// Ranks with all that they need: a wire, and one of the CPU's backends for each.
class EmulatedCards final : public Ranks {
 public:
  EmulatedCards(int ranks, common::milliseconds deadline)
      : EmulatedCards(ranks, deadline, EmulatedWire::Faults{}) {}
  EmulatedCards(int ranks, common::milliseconds deadline, EmulatedWire::Faults faults);

  int count() const override { return ranks_->count(); }
  Communicator& operator[](int rank) override { return (*ranks_)[rank]; }
  EmulatedWire& wire() { return wire_; }

 private:
  EmulatedWire wire_;
  std::vector<std::unique_ptr<Backend>> backends_;
  std::unique_ptr<Ranks> ranks_;
};

}  // namespace train::cuda
