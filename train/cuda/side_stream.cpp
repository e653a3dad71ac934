#include "train/cuda/side_stream.h"

#include <utility>

namespace train::cuda {

using common::Code;
using common::Error;
using common::Result;

Result<SideStream> SideStream::make(Card& card) {
  SideStream side(card);
  card.use();
  // The others wait for what is put here: it goes first.
  int least = 0;
  int greatest = 0;
  cudaError_t error = cudaDeviceGetStreamPriorityRange(&least, &greatest);
  if (error == cudaSuccess) {
    error = cudaStreamCreateWithPriority(&side.stream_, cudaStreamNonBlocking, greatest);
  }
  cudaEvent_t event = nullptr;
  if (error == cudaSuccess) error = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  side.computed_.reset(event);
  if (error != cudaSuccess) {
    return Error{Code::kUnavailable,
                 card.name() + ": no second stream: " + cudaGetErrorString(error)};
  }
  return side;
}

SideStream::SideStream(SideStream&& other) noexcept
    : card_(other.card_),
      stream_(std::exchange(other.stream_, nullptr)),
      computed_(std::move(other.computed_)) {}

SideStream::~SideStream() {
  if (stream_ == nullptr) return;
  static_cast<void>(cudaSetDevice(card_->ordinal_));
  drain();
  static_cast<void>(cudaStreamDestroy(stream_));
}

Result<void> SideStream::open_to(const SideStream& other) const {
  const int mine = card_->ordinal_;
  const int theirs = other.card_->ordinal_;
  int connected = 0;
  cudaError_t error = cudaDeviceCanAccessPeer(&connected, theirs, mine);
  if (error == cudaSuccess && connected == 0) return {};
  cudaMemPool_t pool = nullptr;
  cudaMemAccessDesc access{};
  access.location.type = cudaMemLocationTypeDevice;
  access.location.id = theirs;
  access.flags = cudaMemAccessFlagsProtReadWrite;
  if (error == cudaSuccess) error = cudaDeviceGetDefaultMemPool(&pool, mine);
  if (error == cudaSuccess) error = cudaMemPoolSetAccess(pool, &access, 1);
  if (error == cudaSuccess) return {};
  return Error{Code::kUnavailable, name() + ": its memory cannot be opened to " + other.name() +
                                       ": " + cudaGetErrorString(error)};
}

void SideStream::follow() {
  card_->expect(cudaEventRecord(computed_.get(), card_->stream()), "marking what was computed");
  card_->expect(cudaStreamWaitEvent(stream_, computed_.get(), 0), "ordering a collective");
}

SideStream::Mark SideStream::mark() {
  cudaEvent_t event = nullptr;
  card_->expect(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  Mark mark(event);
  card_->expect(cudaEventRecord(event, stream_), "marking a collective");
  return mark;
}

Result<bool> SideStream::passed(const Mark& mark) const {
  const cudaError_t state = cudaEventQuery(mark.get());
  if (state == cudaSuccess) return true;
  if (state == cudaErrorNotReady) {
    static_cast<void>(cudaGetLastError());
    return false;
  }
  return Error{Code::kIo,
               name() + ": " + cudaGetErrorString(state) + " (" + cudaGetErrorName(state) + ")"};
}

void SideStream::lead(const Mark& mark) {
  card_->expect(cudaStreamWaitEvent(card_->stream(), mark.get(), 0), "ordering after a collective");
}

}  // namespace train::cuda
