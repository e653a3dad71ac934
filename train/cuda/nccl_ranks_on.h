// Ranks that talk by NCCL (train/card_ranks.h), on what train/cuda/nccl_hub.h says.
//
// A collective is put on the card's second stream behind all that the card was asked for so far. A
// rank that waits for it looks from time to time: at the stream, at NCCL, at the other ranks'
// failures and at the clock.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "train/backend.h"
#include "train/buffer.h"
#include "train/communicator.h"
#include "train/cuda/nccl_calls.h"
#include "train/cuda/nccl_hub.h"

namespace train::cuda {

// One rank. Its thread alone calls it.
template <class Stream, class Nccl>
class NcclRank final : public Communicator {
 public:
  using Hub = NcclHub<Stream, Nccl>;

  NcclRank(Hub& hub, size_t rank, Backend& backend)
      : hub_(hub), rank_(rank), backend_(backend), numbers_(backend), token_(backend) {
    numbers_.reserve(hub.ranks());
    token_.reserve(1);
    backend.clear(token_.data(), sizeof(float));
  }

  int rank() const override { return static_cast<int>(rank_); }
  int ranks() const override { return static_cast<int>(hub_.ranks()); }

  Pending begin(Collective collective) override {
    const Pending pending{next_++};
    flights_.try_emplace(pending.number);
    if (const auto begun = put(pending.number, std::move(collective)); !begun) {
      static_cast<void>(hub_.fail(begun.error()));  // Told to whoever waits.
    }
    return pending;
  }

  common::Result<void> wait(Pending pending) override {
    CHECK_MSG(flights_.contains(pending.number), "waited for twice");
    const auto arrived = arrive(pending.number);
    flights_.erase(pending.number);
    if (!arrived) return hub_.fail(arrived.error());
    hub_.leave(pending.number);
    return {};
  }

  void abort(common::Error why) override { hub_.fail(Rounds::gave_up(rank_, why)); }

  // By way of the card's memory.
  common::Result<std::vector<double>> all_numbers(double mine) override {
    std::vector<double> all(hub_.ranks());
    const std::vector<size_t> sizes(all.size(), sizeof(double));
    double* const place = numbers_.data() + rank_;
    backend_.upload(place, &mine, sizeof(double));
    TRY_VOID(all_gather_bytes(numbers_.data(), place, sizes));
    numbers_.download(all);
    return all;
  }

 private:
  using Seat = typename Hub::Seat;
  using Mark = typename Stream::Mark;

  common::Result<void> put(uint64_t number, Collective collective) {
    TRY_VOID(hub_.come(rank_, number, collective));
    if (unsettled_) TRY_VOID(until(*unsettled_, [&] { return !unsettled_; }));
    Seat& seat = hub_.seat(rank_);
    const std::lock_guard lock(seat.mutex);
    TRY_VOID(is_connected(seat));
    seat.stream.use();
    seat.stream.follow();
    const NcclCalls<Nccl> calls(hub_.nccl(), seat.comm, seat.stream.handle(), rank());
    TRY_VOID(hub_.check(rank_, calls.put(collective, token_.data()), collective.describe()));
    unsettled_ = number;
    return settle(seat);
  }

  common::Result<void> arrive(uint64_t number) {
    TRY_VOID(until(number, [&] { return passed_; }));
    Seat& seat = hub_.seat(rank_);
    const std::lock_guard lock(seat.mutex);
    TRY_VOID(is_connected(seat));
    seat.stream.use();
    seat.stream.lead(*flights_[number]);
    return {};
  }

  // Looks at a collective until `enough`, for as long as the deadline allows.
  template <typename Enough>
  common::Result<void> until(uint64_t number, const Enough& enough) {
    Patience patience(hub_.deadline());
    for (;;) {
      TRY_VOID(look(number));
      if (enough()) return {};
      if (patience.over()) return hub_.late(number);
      TRY_VOID(hub_.pause());
    }
  }

  // Takes in what has become of a collective. The stream comes first: NCCL knows of a failure
  // before it lets the card go on.
  common::Result<void> look(uint64_t number) {
    Seat& seat = hub_.seat(rank_);
    const std::lock_guard lock(seat.mutex);
    TRY_VOID(is_connected(seat));
    seat.stream.use();
    const std::optional<Mark>& mark = flights_[number];
    passed_ = false;
    if (mark) {
      const auto passed = seat.stream.passed(*mark);
      if (!passed) return common::within("rank " + std::to_string(rank_), passed.error());
      passed_ = *passed;
    }
    return settle(seat);
  }

  // Marks the end of the last collective once it is on the stream.
  common::Result<void> settle(Seat& seat) {
    TRY(const bool settled, hub_.settled(rank_));
    if (settled && unsettled_) {
      flights_[*std::exchange(unsettled_, std::nullopt)] = seat.stream.mark();
    }
    return {};
  }

  // What is not has been aborted, and the reason is the hub's.
  static common::Result<void> is_connected(const Seat& seat) {
    if (seat.comm != typename Nccl::Comm{}) return {};
    return common::Error{common::Code::kCancelled, "all collectives have ended"};
  }

  Hub& hub_;
  size_t rank_;
  Backend& backend_;
  Buffer<double> numbers_;  // By rank.
  Buffer<float> token_;     // See NcclCalls::put.
  uint64_t next_ = 0;
  std::map<uint64_t, std::optional<Mark>> flights_;  // Begun and not waited for; where each ends.
  std::optional<uint64_t> unsettled_;  // The last one begun, while it is not on the stream.
  bool passed_ = false;                // What the last look found.
};

template <class Stream, class Nccl>
class NcclRanksOn final : public Ranks {
 public:
  // Backends and streams by rank. Errors: make_card_ranks.
  static common::Result<std::unique_ptr<Ranks>> make(Nccl nccl, std::vector<Stream> streams,
                                                     std::span<Backend* const> backends,
                                                     common::milliseconds deadline) {
    CHECK(!streams.empty() && streams.size() == backends.size());
    auto ranks = std::make_unique<NcclRanksOn>(std::move(nccl), std::move(streams), deadline);
    TRY_VOID(ranks->hub_.connect());
    for (size_t rank = 0; rank < backends.size(); ++rank) {
      ranks->ranks_.push_back(
          std::make_unique<NcclRank<Stream, Nccl>>(ranks->hub_, rank, *backends[rank]));
    }
    return std::unique_ptr<Ranks>(std::move(ranks));
  }

  NcclRanksOn(Nccl nccl, std::vector<Stream> streams, common::milliseconds deadline)
      : hub_(std::move(nccl), std::move(streams), deadline) {}
  ~NcclRanksOn() override { hub_.end(); }

  int count() const override { return static_cast<int>(ranks_.size()); }
  Communicator& operator[](int rank) override { return *ranks_[static_cast<size_t>(rank)]; }

 private:
  NcclHub<Stream, Nccl> hub_;
  std::vector<std::unique_ptr<NcclRank<Stream, Nccl>>> ranks_;
};

}  // namespace train::cuda
