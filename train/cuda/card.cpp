#include "train/cuda/card.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "train/cuda/matrix_products.h"
#include "train/cuda/memory.h"

namespace train::cuda {
namespace {

using common::Code;
using common::Error;
using common::Result;

Error unavailable(int ordinal, const std::string& why) {
  return {Code::kUnavailable, "cuda:" + std::to_string(ordinal) + ": " + why};
}

// "12.3 GiB"
std::string gibibytes(size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GiB", static_cast<double>(bytes) / 0x1p30);
  return text;
}

// Nothing if work can be sent to it.
Result<void> look(int ordinal) {
  int count = 0;
  if (const cudaError_t found = cudaGetDeviceCount(&count); found != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    if (found == cudaErrorNoDevice) return unavailable(ordinal, "no CUDA device on this machine");
    if (found == cudaErrorInsufficientDriver) {
      return unavailable(ordinal,
                         "no CUDA device on this machine, or its driver is older than "
                         "CUDA " +
                             std::to_string(CUDART_VERSION / 1000) + "'s");
    }
    return unavailable(ordinal, cudaGetErrorString(found));
  }
  if (ordinal < 0 || ordinal >= count) {
    return unavailable(ordinal,
                       "this machine has " + std::to_string(count) + " CUDA devices, from cuda:0");
  }
  int major = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal) != cudaSuccess ||
      major < 8) {
    return unavailable(ordinal, "needs compute capability 8.0 (Ampere) or later");
  }
  return {};
}

}  // namespace

Card::Card(int ordinal) : ordinal_(ordinal) {}

Card::Card(Card&& other) noexcept
    : ordinal_(other.ordinal_),
      memory_bytes_(other.memory_bytes_),
      stream_(std::exchange(other.stream_, nullptr)),
      products_(std::move(other.products_)) {}

// Errors of work that nobody waited for are nobody's any more.
Card::~Card() {
  if (stream_ == nullptr) return;
  static_cast<void>(cudaSetDevice(ordinal_));
  static_cast<void>(cudaStreamSynchronize(stream_));
  products_ = nullptr;
  static_cast<void>(cudaStreamDestroy(stream_));
}

Result<Card> Card::open(int ordinal) {
  TRY_VOID(look(ordinal));
  Card card(ordinal);
  const auto said = [&](cudaError_t error) {
    return unavailable(ordinal, cudaGetErrorString(error));
  };
  cudaError_t error = cudaSetDevice(ordinal);
  size_t free_bytes = 0;
  if (error == cudaSuccess) error = cudaMemGetInfo(&free_bytes, &card.memory_bytes_);
  if (error == cudaSuccess) {
    error = cudaStreamCreateWithFlags(&card.stream_, cudaStreamNonBlocking);
  }
  // What is released stays ours: after the first step nobody asks the driver for memory.
  cudaMemPool_t pool = nullptr;
  uint64_t keep_bytes = UINT64_MAX;
  if (error == cudaSuccess) error = cudaDeviceGetDefaultMemPool(&pool, ordinal);
  if (error == cudaSuccess) {
    error = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep_bytes);
  }
  if (error != cudaSuccess) return said(error);
  auto products = MatrixProducts::make(card.stream_);
  if (!products) return unavailable(ordinal, products.error().message);
  card.products_ = std::move(products).value();
  return card;
}

int Card::positions_at_once() const { return cuda::positions_at_once(memory_bytes_); }

int64_t Card::logits_at_once() const { return cuda::logits_at_once(memory_bytes_); }

void Card::use() const { expect(cudaSetDevice(ordinal_), "choosing the card"); }

void Card::expect(cudaError_t result, const char* doing) const {
  if (result == cudaSuccess) return;
  const std::string message = name() + ": " + doing + ": " + cudaGetErrorString(result) + " (" +
                              cudaGetErrorName(result) + ")";
  CHECK_MSG(result == cudaSuccess, message);
}

void* Card::allocate(size_t size_bytes) {
  use();
  void* memory = nullptr;
  const cudaError_t result = cudaMallocAsync(&memory, std::max<size_t>(size_bytes, 1), stream_);
  if (result == cudaErrorMemoryAllocation) {
    size_t free_bytes = 0;
    size_t all_bytes = 0;
    static_cast<void>(cudaMemGetInfo(&free_bytes, &all_bytes));
    const std::string message = name() + ": out of memory: " + gibibytes(size_bytes) +
                                " asked for, " + gibibytes(free_bytes) + " of " +
                                gibibytes(all_bytes) + " free; train a smaller model, or fewer " +
                                "positions at once, with activations recomputed";
    CHECK_MSG(result == cudaSuccess, message);
  }
  expect(result, "allocating memory");
  return memory;
}

void Card::release(void* memory) {
  if (memory == nullptr) return;
  const cudaError_t here = cudaSetDevice(ordinal_);
  if (here == cudaErrorCudartUnloading) return;  // The process ends.
  expect(here, "choosing the card");
  expect(cudaFreeAsync(memory, stream_), "releasing memory");
}

void Card::upload(void* to, const void* from, size_t size_bytes) {
  use();
  expect(cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyHostToDevice, stream_), "uploading");
  expect(cudaStreamSynchronize(stream_), "uploading, or work sent before it");
}

void Card::download(void* to, const void* from, size_t size_bytes) {
  use();
  expect(cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyDeviceToHost, stream_), "downloading");
  expect(cudaStreamSynchronize(stream_), "downloading, or work sent before it");
}

void Card::clear(void* memory, size_t size_bytes) {
  use();
  expect(cudaMemsetAsync(memory, 0, size_bytes, stream_), "clearing memory");
}

// Pinned; known to all cards, since which one works with it is not said.
void* Card::allocate_host(size_t size_bytes) {
  use();
  void* memory = nullptr;
  expect(cudaHostAlloc(&memory, std::max<size_t>(size_bytes, 1), cudaHostAllocPortable),
         "pinning host memory");
  return memory;
}

void Card::release_host(void* memory) {
  const cudaError_t result = cudaFreeHost(memory);
  if (result == cudaErrorCudartUnloading) return;  // The process ends.
  expect(result, "releasing host memory");
}

void Card::multiply(const Product& product) {
  if (product.M == 0 || product.N == 0) return;
  use();
  const Result<void> sent = products_->multiply(product);
  if (!sent) CHECK_MSG(sent.has_value(), name() + ": " + sent.error().message);
}

}  // namespace train::cuda
