// One card and one stream: the machine (train/cuda/room.h) that the GPU's backend works on.
//
// Work is put on the stream in the order of calls and nobody waits for it, except where bytes come
// back, or memory of ours must not be changed before it was read (download, upload). What fails is
// ours to abort on: the driver's word for it, with the card and what was being done.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/result.h"
#include "train/cuda/product.h"

namespace train::cuda {

class MatrixProducts;
class SideStream;

class Card {
 public:
  // The card of this number. kUnavailable: no driver, no such card, one before Ampere, or no
  // cuBLASLt.
  static common::Result<Card> open(int ordinal);

  Card(Card&& other) noexcept;
  Card& operator=(Card&&) = delete;
  ~Card();

  std::string name() const { return "cuda:" + std::to_string(ordinal_); }
  uint64_t memory_bytes() const { return memory_bytes_; }
  // By its memory (train/cuda/memory.h).
  int positions_at_once() const;
  int64_t logits_at_once() const;

  void* allocate(size_t size_bytes);
  void release(void* memory);
  void upload(void* to, const void* from, size_t size_bytes);
  void download(void* to, const void* from, size_t size_bytes);
  void clear(void* memory, size_t size_bytes);
  void* allocate_host(size_t size_bytes);
  void release_host(void* memory);

  // Defined in train/cuda/launch.h.
  template <class Kernel>
  void launch(int64_t blocks, const typename Kernel::Args& args);
  void multiply(const Product& product);

 private:
  friend class SideStream;

  // What every block may have of shared memory without asking.
  static constexpr size_t kSharedAlways = 48 << 10;

  explicit Card(int ordinal);

  cudaStream_t stream() const { return stream_; }
  // This thread's card from here on.
  void use() const;
  // Aborts unless it went well. `doing`: "starting a kernel"
  void expect(cudaError_t result, const char* doing) const;

  int ordinal_;
  size_t memory_bytes_ = 0;
  cudaStream_t stream_ = nullptr;
  std::unique_ptr<MatrixProducts> products_;
};

}  // namespace train::cuda
