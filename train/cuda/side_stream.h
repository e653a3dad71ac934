// A card's second stream: work that goes on beside what the card computes, and what orders the two.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>

#include "common/result.h"
#include "train/cuda/card.h"

namespace train::cuda {

class SideStream {
 public:
  struct Destroy {
    void operator()(cudaEvent_t event) const { static_cast<void>(cudaEventDestroy(event)); }
  };
  // A place on the stream.
  using Mark = std::unique_ptr<CUevent_st, Destroy>;

  // `card` outlives it.
  static common::Result<SideStream> make(Card& card);
  SideStream(SideStream&& other) noexcept;
  SideStream& operator=(SideStream&&) = delete;
  ~SideStream();

  std::string name() const { return card_->name(); }
  cudaStream_t handle() const { return stream_; }
  // Lets another card read and write this one's memory, where the two are connected: NCCL goes to
  // the buffers themselves between cards of one process, and those of cudaMallocAsync are closed to
  // other cards at first. Source: NVIDIA's NCCL user guide, NCCL_P2P_DIRECT_DISABLE.
  common::Result<void> open_to(const SideStream& other) const;

  // This thread's card from here on: before anything below.
  void use() const { card_->use(); }

  // What is put here from now on comes after all that the card was asked for so far.
  void follow();
  // The place behind all that was put here so far.
  Mark mark();
  // Whether it has been reached. kIo: what went before failed.
  common::Result<bool> passed(const Mark& mark) const;
  // What the card is asked for from now on comes after `mark`.
  void lead(const Mark& mark);
  // When nothing is under way here. What failed is nobody's any more.
  void drain() const { static_cast<void>(cudaStreamSynchronize(stream_)); }

 private:
  explicit SideStream(Card& card) : card_(&card) {}

  Card* card_;
  cudaStream_t stream_ = nullptr;
  Mark computed_;  // What `follow` waits for.
};

}  // namespace train::cuda
