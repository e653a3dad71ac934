// Several machines that work on one model: what they add up, hand round and wait for.
//
// All ranks call the same collectives in the same order, with the same sizes. A collective is begun
// and waited for; several may be under way, and may be waited for in any order. `begin` comes after
// everything that the backend was asked for so far, and what the backend is asked for once `wait`
// has returned sees the result; between the two nobody touches the memory that was handed over.
// Memory is the machine's: the host's for the communicators here, the cards' for those of
// train/card_ranks.h.
//
// Sums are taken in one order, so that every rank and every run has the same bits: here that of
// ranks, ((0 + x_0) + x_1) + ...
//
// A rank that fails says so with `abort`, or says nothing: either way every wait of every rank ends
// within the deadline, with an Error that names the rank. After that all collectives end with that
// Error; there is no way back but new communicators. A wait that has returned an Error, and an
// abort, leave nothing under way: the memory may be released (W44).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/result.h"

namespace train {

struct Collective {
  enum class Kind : uint8_t { kAllReduce, kReduceScatter, kAllGather, kBroadcast, kBarrier };
  Kind kind = Kind::kBarrier;
  const void* in = nullptr;
  void* out = nullptr;
  // kAllReduce, kBroadcast: of the whole. kReduceScatter, kAllGather: of each rank's part, by rank.
  std::vector<size_t> sizes_bytes;
  int root = 0;

  // Whether another rank's is the same one: all but the addresses.
  bool agrees_with(const Collective& other) const;
  // "all_gather of 4, 4 bytes"
  std::string describe() const;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int ranks() const = 0;

  // Of one communicator, in the order of begins. To be waited for once; whoever leaves without
  // having waited aborts first.
  struct Pending {
    uint64_t number;
  };
  virtual Pending begin(Collective collective) = 0;
  // kTimeout: the named ranks did not come within the deadline. kConflict: the named ranks came to
  // another collective. Otherwise what the rank that gave up said.
  virtual common::Result<void> wait(Pending pending) = 0;
  // This rank cannot go on. The first to say why is heard. Ends when nobody touches its memory.
  virtual void abort(common::Error why) = 0;

  // values (size) += those of the others. The values' sums, at every rank.
  Pending begin_all_reduce(std::span<float> values);
  // mine = sum over ranks of this rank's part of `all`;  sizes: values of each rank's part, in
  // order. `mine` may be this rank's part of `all` itself.
  Pending begin_reduce_scatter(float* mine, const float* all, std::span<const size_t> sizes);
  // all = the ranks' `mine`, one after the other. `mine` may be this rank's part of `all`.
  Pending begin_all_gather(float* all, const float* mine, std::span<const size_t> sizes);
  Pending begin_all_gather_bytes(void* all, const void* mine, std::span<const size_t> sizes_bytes);
  // bytes = root's.
  Pending begin_broadcast(void* bytes, size_t size_bytes, int root);

  // Begun and waited for.
  common::Result<void> all_reduce(std::span<float> values);
  common::Result<void> reduce_scatter(float* mine, const float* all, std::span<const size_t> sizes);
  common::Result<void> all_gather(float* all, const float* mine, std::span<const size_t> sizes);
  common::Result<void> all_gather_bytes(void* all, const void* mine,
                                        std::span<const size_t> sizes_bytes);
  common::Result<void> broadcast(void* bytes, size_t size_bytes, int root);
  common::Result<void> barrier();
  // Every rank's number, by rank: what is to be added up in fp64, or compared. As it stands it is
  // for machines whose memory is ours.
  virtual common::Result<std::vector<double>> all_numbers(double mine);
};

// One rank, which copies.
std::unique_ptr<Communicator> make_alone_communicator();

// The ranks of one process, a thread each.
class Ranks {
 public:
  virtual ~Ranks() = default;  // When no rank is in a call any more.

  virtual int count() const = 0;
  virtual Communicator& operator[](int rank) = 0;

  // work(communicator) of every rank, each in a thread of its own; an Error aborts the others. The
  // Error that came first, when all have returned.
  common::Result<void> run(const std::function<common::Result<void>(Communicator&)>& work);
};

// Ranks that share memory. Whichever comes last to a collective carries it out for
// all; the others wait asleep. `deadline`: how long a rank waits for the others at one collective,
// which covers the work that they do before it.
class ThreadRanks final : public Ranks {
 public:
  // Pre: ranks > 0.
  ThreadRanks(int ranks, common::milliseconds deadline);
  ~ThreadRanks() override;
  ThreadRanks(const ThreadRanks&) = delete;
  ThreadRanks& operator=(const ThreadRanks&) = delete;

  int count() const override;
  Communicator& operator[](int rank) override;

 private:
  struct Hub;
  class Rank;
  std::unique_ptr<Hub> hub_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

}  // namespace train
