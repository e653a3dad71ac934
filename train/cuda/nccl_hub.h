// What the ranks of one process share: NCCL, its communicators, one a card, and the first failure,
// which ends all of them.
//
// `Stream` is a card's second stream (train/cuda/side_stream.h) and `Nccl` the library
// (train/cuda/nccl_library.h), or what stands for them in the tests.
//
// No call of NCCL blocks: a communicator that is "in progress" takes no further call but
// async_error and abort, and nothing is on its stream yet. All communicators are aborted by one
// thread, whichever found the first failure: NCCL frees them when the last rank of the process has
// come, and a rank that is lost never comes.
// Source: NVIDIA's NCCL user guide, "Fault Tolerance" and "Group Calls".
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/clock.h"
#include "common/result.h"
#include "train/communicator/patience.h"
#include "train/communicator/rounds.h"

namespace train::cuda {

template <class Stream, class Nccl>
class NcclHub {
 public:
  using Comm = typename Nccl::Comm;
  using Status = typename Nccl::Status;

  // What a rank calls with, under its mutex.
  struct Seat {
    explicit Seat(Stream of) : stream(std::move(of)) {}
    std::mutex mutex;
    Stream stream;
    Comm comm{};  // Null until it is connected, and once it has been aborted.
  };

  NcclHub(Nccl nccl, std::vector<Stream> streams, common::milliseconds deadline)
      : nccl_(std::move(nccl)), deadline_(deadline), rounds_(streams.size()) {
    for (Stream& stream : streams) seats_.push_back(std::make_unique<Seat>(std::move(stream)));
  }
  NcclHub(const NcclHub&) = delete;
  NcclHub& operator=(const NcclHub&) = delete;

  size_t ranks() const { return seats_.size(); }
  Seat& seat(size_t rank) { return *seats_[rank]; }
  const Nccl& nccl() const { return nccl_; }
  common::milliseconds deadline() const { return deadline_; }

  // Makes the cards known to each other; once, before anything else.
  common::Result<void> connect() {
    if (const auto made = make_comms(); !made) return fail(made.error());
    Patience patience(deadline_);
    for (size_t rank = 0; rank < ranks(); ++rank) {
      for (;;) {
        const auto ready = settled(rank);
        if (!ready) return fail(unconnected(ready.error().message));
        if (*ready) break;
        if (patience.over()) {
          return fail(unconnected("they did not find each other within " +
                                  std::to_string(deadline_.count()) +
                                  " ms; NCCL_DEBUG=INFO in the environment makes it say more"));
        }
        TRY_VOID(pause());
      }
    }
    return {};
  }

  // Before what the rank has come to is put on its stream.
  common::Result<void> come(size_t rank, uint64_t number, Collective collective) {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    TRY_VOID(rounds_.come(rank, number, std::move(collective)));
    return {};
  }
  void leave(uint64_t number) {
    const std::lock_guard lock(mutex_);
    rounds_.leave(number);
  }
  common::Error late(uint64_t number) {
    const std::lock_guard lock(mutex_);
    return rounds_.late(number, deadline_);
  }

  // Whether the seat's last call is on its stream, or an Error in NCCL's words. The seat's mutex is
  // held, and its communicator is there.
  common::Result<bool> settled(size_t rank) {
    Status status = Nccl::kSuccess;
    const Status asked = nccl_.async_error(seat(rank).comm, &status);
    TRY_VOID(check(rank, asked, "collectives"));
    TRY_VOID(check(rank, status, "collectives"));
    return status != Nccl::kInProgress;
  }
  common::Result<void> check(size_t rank, Status status, const std::string& doing) const {
    if (status == Nccl::kSuccess || status == Nccl::kInProgress) return {};
    return common::Error{common::Code::kIo, "rank " + std::to_string(rank) + " (" +
                                                seats_[rank]->stream.name() + "): " + doing +
                                                ": NCCL says: " + nccl_.error_string(status) +
                                                said(rank)};
  }

  // Between two looks.
  common::Result<void> pause() {
    constexpr std::chrono::microseconds kPause{50};
    if (!failed_) std::this_thread::sleep_for(kPause);
    if (!failed_) return {};
    const std::lock_guard lock(mutex_);
    return *failure_;
  }

  // The Error that was first, when nothing is under way any more. The caller holds no seat's mutex.
  common::Error fail(common::Error why) {
    {
      std::unique_lock lock(mutex_);
      if (failure_) {
        changed_.wait(lock, [&] { return ended_; });
        return *failure_;
      }
      failure_ = std::move(why);
      failed_ = true;
    }
    end_all();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
    return *failure_;
  }
  // Before the memory of what may be under way is released.
  void end() { fail({common::Code::kCancelled, "the ranks are gone"}); }

 private:
  common::Result<void> make_comms() {
    typename Nccl::Id id{};
    TRY_VOID(check(0, nccl_.make_id(&id), "starting NCCL"));
    TRY_VOID(check(0, nccl_.group_start(), "starting NCCL"));
    common::Result<void> made;
    for (size_t rank = 0; rank < ranks() && made; ++rank) {
      seat(rank).stream.use();
      made = check(
          rank, nccl_.init(&seat(rank).comm, static_cast<int>(ranks()), id, static_cast<int>(rank)),
          "starting NCCL");
    }
    const common::Result<void> ended = check(0, nccl_.group_end(), "starting NCCL");
    if (!made) return unconnected(made.error().message);
    if (!ended) return unconnected(ended.error().message);
    return {};
  }

  static common::Error unconnected(const std::string& why) {
    return {common::Code::kUnavailable, "NCCL cannot connect the cards: " + why};
  }

  // ": what NCCL said last", where it said anything.
  std::string said(size_t rank) const {
    const char* const text = nccl_.last_error(seats_[rank]->comm);
    return text == nullptr || *text == '\0' ? std::string() : std::string(": ") + text;
  }

  // By a thread of its own: whoever called for it must not wait for ever.
  void end_all() {
    constexpr common::milliseconds kAbortMin{10'000};
    const auto ended = std::async(std::launch::async, [this] { abort_all(); });
    CHECK_MSG(ended.wait_for(std::max(deadline_, kAbortMin)) == std::future_status::ready,
              "NCCL or a card goes on with a collective that was aborted; is a card out of order? "
              "See nvidia-smi");
  }

  void abort_all() {
    std::vector<std::unique_lock<std::mutex>> nobody_else;
    for (const auto& seat : seats_) nobody_else.emplace_back(seat->mutex);
    static_cast<void>(nccl_.group_start());
    for (const auto& seat : seats_) {
      if (seat->comm == Comm{}) continue;
      seat->stream.use();
      static_cast<void>(nccl_.abort(seat->comm));
    }
    static_cast<void>(nccl_.group_end());
    for (const auto& seat : seats_) {
      seat->comm = Comm{};
      seat->stream.use();
      seat->stream.drain();
    }
  }

  Nccl nccl_;
  common::milliseconds deadline_;
  std::vector<std::unique_ptr<Seat>> seats_;

  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Everything below is under the mutex.
  Rounds rounds_;
  std::optional<common::Error> failure_;
  bool ended_ = false;
};

}  // namespace train::cuda
