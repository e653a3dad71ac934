#include "tests/train/nccl_emulation.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "common/check.h"
#include "train/cpu/backend.h"
#include "train/cuda/nccl_ranks_on.h"

namespace train::cuda {
namespace {

using Status = EmulatedWire::Status;
using Kind = EmulatedWire::Kind;
using Call = EmulatedWire::Call;
using End = EmulatedWire::End;
using Bytes = std::vector<std::byte>;

constexpr int kLooks = 2;  // At what is in progress, before it is not.

// A thread's.
thread_local int card_in_use = EmulatedWire::kNobody;
thread_local bool in_group = false;
thread_local std::vector<End*> grouped;

Bytes bytes_of(const void* from, size_t size) {
  Bytes bytes(size);
  if (size > 0) std::memcpy(bytes.data(), from, size);
  return bytes;
}

// In the order of ranks, from 0.
Bytes sum_of(std::span<const Call> of_ranks, size_t count) {
  std::vector<float> sum(count);
  for (const Call& of : of_ranks) {
    const float* values = static_cast<const float*>(of.in);
    for (size_t i = 0; i < count; ++i) sum[i] += values[i];
  }
  return bytes_of(sum.data(), count * sizeof(float));
}

Bytes all_of(std::span<const Call> of_ranks) {
  Bytes all;
  for (const Call& of : of_ranks) {
    const Bytes part = bytes_of(of.in, of.count * of.width);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// What each rank's `out` becomes.
std::vector<Bytes> results_of(std::span<const Call> of_ranks) {
  const Call& first = of_ranks.front();
  const size_t ranks = of_ranks.size();
  const size_t part = first.count * first.width;
  switch (first.kind) {
    case Kind::kAllReduce:
      return std::vector(ranks, sum_of(of_ranks, first.count));
    case Kind::kReduceScatter: {
      const Bytes sum = sum_of(of_ranks, first.count * ranks);
      std::vector<Bytes> parts;
      for (size_t r = 0; r < ranks; ++r) parts.push_back(bytes_of(sum.data() + r * part, part));
      return parts;
    }
    case Kind::kReduce: {
      std::vector<Bytes> only(ranks);
      only[static_cast<size_t>(first.root)] = sum_of(of_ranks, first.count);
      return only;
    }
    case Kind::kAllGather:
      return std::vector(ranks, all_of(of_ranks));
    case Kind::kBroadcast:
      return std::vector(ranks, bytes_of(of_ranks[static_cast<size_t>(first.root)].in, part));
  }
  return {};
}

void exchange(const std::vector<EmulatedWire::Calls>& of_ranks) {
  std::vector<std::pair<void*, Bytes>> results;  // Written when all has been read, as in a group.
  for (size_t i = 0; i < of_ranks.front().size(); ++i) {
    std::vector<Call> calls;
    for (const auto& rank : of_ranks) {
      CHECK(rank.size() == of_ranks.front().size());
      CHECK(rank[i].describe() == of_ranks.front()[i].describe());
      calls.push_back(rank[i]);
    }
    std::vector<Bytes> outs = results_of(calls);
    for (size_t r = 0; r < calls.size(); ++r) results.emplace_back(calls[r].out, outs[r]);
  }
  for (const auto& [to, bytes] : results) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  }
}

// As NcclLibrary.
struct EmulatedNccl {
  using Comm = End*;
  using Stream = End*;
  using Status = EmulatedWire::Status;
  struct Id {};
  static constexpr Status kSuccess = Status::kSuccess;
  static constexpr Status kInProgress = Status::kInProgress;
  static constexpr size_t kBytes = 1;
  static constexpr size_t kFloats = sizeof(float);
  static constexpr int kSum = 0;

  EmulatedWire* wire;

  Status make_id(Id*) const { return kSuccess; }
  Status init(Comm* comm, int ranks, Id, int rank) const {
    CHECK(rank < ranks && card_in_use == rank);
    return wire->make(comm, rank);
  }
  Status abort(Comm comm) const { return wire->abort(comm); }
  Status async_error(Comm comm, Status* status) const { return wire->look(comm, status); }
  const char* error_string(Status) const { return "something is wrong"; }
  const char* last_error(Comm) const { return "the cable was pulled"; }
  Status group_start() const { return EmulatedWire::group_start(); }
  Status group_end() const { return EmulatedWire::group_end(); }
  Status all_reduce(const void* in, void* out, size_t count, size_t width, int, Comm comm,
                    Stream stream) const {
    return wire->call(comm, stream, {Kind::kAllReduce, in, out, count, width, 0});
  }
  Status reduce_scatter(const void* in, void* out, size_t count, size_t width, int, Comm comm,
                        Stream stream) const {
    return wire->call(comm, stream, {Kind::kReduceScatter, in, out, count, width, 0});
  }
  Status reduce(const void* in, void* out, size_t count, size_t width, int, int root, Comm comm,
                Stream stream) const {
    return wire->call(comm, stream, {Kind::kReduce, in, out, count, width, root});
  }
  Status all_gather(const void* in, void* out, size_t count, size_t width, Comm comm,
                    Stream stream) const {
    return wire->call(comm, stream, {Kind::kAllGather, in, out, count, width, 0});
  }
  Status broadcast(const void* in, void* out, size_t count, size_t width, int root, Comm comm,
                   Stream stream) const {
    return wire->call(comm, stream, {Kind::kBroadcast, in, out, count, width, root});
  }
};

// As SideStream.
class EmulatedStream {
 public:
  using Mark = size_t;

  explicit EmulatedStream(End* end) : end_(end) {}
  std::string name() const { return "emulated:" + std::to_string(end_->rank); }
  End* handle() const { return end_; }
  void use() const { EmulatedWire::use(end_->rank); }
  void follow() { end_->wire->follow(*end_); }
  Mark mark() { return end_->wire->mark(*end_); }
  common::Result<bool> passed(Mark mark) const { return end_->wire->passed(mark); }
  void lead(Mark mark) { CHECK(end_->wire->passed(mark)); }
  void drain() const { end_->wire->drain(*end_); }

 private:
  End* end_;
};

}  // namespace

std::string EmulatedWire::Call::describe() const {
  const char* const names[] = {"all_reduce", "reduce_scatter", "reduce", "all_gather", "broadcast"};
  std::string text = names[static_cast<size_t>(kind)];
  text.append(" ").append(std::to_string(count));
  if (kind == Kind::kReduce) text += " to " + std::to_string(root);
  if (kind == Kind::kBroadcast) text += " from " + std::to_string(root);
  return text;
}

EmulatedWire::EmulatedWire(int ranks, Faults faults)
    : faults_(faults), ends_(static_cast<size_t>(ranks)) {
  for (int rank = 0; rank < ranks; ++rank) {
    end(rank)->wire = this;
    end(rank)->rank = rank;
  }
  worker_ = std::thread([this] { work(); });
}

EmulatedWire::~EmulatedWire() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

std::vector<std::string> EmulatedWire::calls(int rank) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const Calls& group : end(rank)->launched) {
    std::string text;
    for (const Call& call : group) text += (text.empty() ? "" : " + ") + call.describe();
    all.push_back(text);
  }
  return all;
}

int EmulatedWire::aborted_count() {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::ranges::count_if(ends_, [](const End& end) { return end.aborted; }));
}

Status EmulatedWire::make(End** comm, int rank) {
  const std::lock_guard lock(mutex_);
  CHECK(in_group);
  if (rank == faults_.refused) return Status::kRemoteError;
  *comm = end(rank);
  (*comm)->made = true;
  (*comm)->looks_left = kLooks;
  return Status::kSuccess;
}

Status EmulatedWire::abort(End* comm) {
  std::unique_lock lock(mutex_);
  CHECK(comm->made && !comm->aborted && card_in_use == comm->rank);
  comm->aborted = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !working_; });
  return Status::kSuccess;
}

Status EmulatedWire::look(End* comm, Status* status) {
  const std::lock_guard lock(mutex_);
  CHECK(comm->made && !comm->aborted);
  *status = comm->error;
  if (comm->error != Status::kSuccess || comm->looks_left == 0) return Status::kSuccess;
  *status = Status::kInProgress;
  if (comm->rank == faults_.silent || --comm->looks_left > 0) return Status::kSuccess;
  *status = Status::kSuccess;
  if (!comm->called.empty()) comm->launched.push_back(std::exchange(comm->called, {}));
  changed_.notify_all();
  return Status::kSuccess;
}

Status EmulatedWire::call(End* comm, End* stream, Call call) {
  const std::lock_guard lock(mutex_);
  CHECK(comm->made && !comm->aborted && stream == comm && card_in_use == comm->rank);
  CHECK(call.count > 0);
  if (comm->looks_left > 0 || comm->rank == faults_.refusing) return Status::kInvalidUsage;
  comm->called.push_back(call);
  if (!in_group) return begin(*comm);
  if (std::ranges::find(grouped, comm) == grouped.end()) grouped.push_back(comm);
  return Status::kSuccess;
}

Status EmulatedWire::begin(End& end) {
  CHECK_MSG(std::exchange(end.follows, false), "nobody said what it comes after");
  end.looks_left = kLooks;
  return Status::kInProgress;
}

Status EmulatedWire::group_start() {
  CHECK(!std::exchange(in_group, true));
  return Status::kSuccess;
}

Status EmulatedWire::group_end() {
  CHECK(std::exchange(in_group, false));
  for (End* const end : std::exchange(grouped, {})) {
    const std::lock_guard lock(end->wire->mutex_);
    static_cast<void>(end->wire->begin(*end));
  }
  return Status::kInProgress;
}

void EmulatedWire::use(int rank) { card_in_use = rank; }

void EmulatedWire::follow(End& end) {
  const std::lock_guard lock(mutex_);
  end.follows = true;
}

size_t EmulatedWire::mark(End& end) {
  const std::lock_guard lock(mutex_);
  CHECK_MSG(end.looks_left == 0, "the end of what has not begun");
  return end.launched.size();
}

bool EmulatedWire::passed(size_t mark) {
  const std::lock_guard lock(mutex_);
  return done_ >= mark;
}

void EmulatedWire::drain(End& end) {
  const std::lock_guard lock(mutex_);
  CHECK(!working_ && (end.aborted || !end.made));
}

bool EmulatedWire::any_aborted() const {
  return std::ranges::any_of(ends_, [](const End& end) { return end.aborted; });
}

bool EmulatedWire::is_ready() const {
  return done_ != faults_.stuck && !any_aborted() &&
         std::ranges::all_of(ends_, [&](const End& end) {
           return end.launched.size() > done_ && end.error == Status::kSuccess;
         });
}

void EmulatedWire::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return closing_ || is_ready(); });
    if (closing_) return;
    if (faults_.broken != kNobody && done_ == faults_.broken_at) {
      end(faults_.broken)->error = Status::kRemoteError;
      continue;
    }
    const auto ends = [&] { return closing_ || any_aborted(); };
    if (changed_.wait_for(lock, faults_.transfer, ends)) continue;
    std::vector<Calls> of_ranks;
    for (const End& end : ends_) of_ranks.push_back(end.launched[done_]);
    working_ = true;
    lock.unlock();
    exchange(of_ranks);
    lock.lock();
    working_ = false;
    ++done_;
    changed_.notify_all();
  }
}

common::Result<std::unique_ptr<Ranks>> make_emulated_ranks(EmulatedWire& wire,
                                                           std::span<Backend* const> backends,
                                                           common::milliseconds deadline) {
  std::vector<EmulatedStream> streams;
  for (size_t rank = 0; rank < backends.size(); ++rank) {
    streams.emplace_back(wire.end(static_cast<int>(rank)));
  }
  return NcclRanksOn<EmulatedStream, EmulatedNccl>::make({&wire}, std::move(streams), backends,
                                                         deadline);
}

EmulatedCards::EmulatedCards(int ranks, common::milliseconds deadline, EmulatedWire::Faults faults)
    : wire_(ranks, faults) {
  std::vector<Backend*> pointers;
  for (int rank = 0; rank < ranks; ++rank) {
    backends_.push_back(make_cpu_backend(1));
    pointers.push_back(backends_.back().get());
  }
  ranks_ = make_emulated_ranks(wire_, pointers, deadline).value();
}

}  // namespace train::cuda
