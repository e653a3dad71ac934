// The codec on a card. Everything that is computed is in the bodies of kernels, which the host can
// run too (compress/cuda/both.h); here is what only a card has.
#include <string>
#include <utility>

#include "compress/cuda/codec_on.h"
#include "compress/cuda/device.h"

namespace compress {
namespace cuda {
namespace {

using common::Code;
using common::Error;
using common::Result;

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, Kernel::kBlocksMin)
    run_kernel(const __grid_constant__ typename Kernel::Args args) {
  extern __shared__ __align__(16) uint8_t shared[];
  DeviceBlock<Kernel::kThreads> block;
  Kernel::template run<DeviceBlock<Kernel::kThreads>>(block, args, shared);
}

// What a card that was asked for is called in errors.
std::string name_of(int ordinal) { return "cuda:" + std::to_string(ordinal); }

// How many there are, one at least.
Result<int> cards(int ordinal) {
  int driver = 0;
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found == cudaErrorInsufficientDriver && cudaDriverGetVersion(&driver) == cudaSuccess &&
      driver > 0) {
    return Error{
        Code::kUnavailable,
        name_of(ordinal) + ": the NVIDIA driver is older than this build's CUDA; update it"};
  }
  if (found == cudaErrorInsufficientDriver || found == cudaErrorNoDevice || count == 0) {
    return Error{Code::kUnavailable, name_of(ordinal) + ": no CUDA device on this machine"};
  }
  if (found == cudaSuccess) return count;
  return Error{Code::kUnavailable, name_of(ordinal) + ": " + cudaGetErrorString(found)};
}

// One card, one stream.
class Card {
 public:
  static Result<Card> open(int ordinal) {
    TRY(const int count, cards(ordinal));
    if (ordinal < 0 || ordinal >= count) {
      return Error{Code::kUnavailable, name_of(ordinal) + ": this machine has " +
                                           std::to_string(count) + " CUDA devices, from cuda:0"};
    }
    Card card(ordinal);
    int major = 0;
    TRY_VOID(card.ask(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal)));
    if (major < 8) {
      return Error{Code::kUnavailable,
                   name_of(ordinal) + ": needs compute capability 8.0 (Ampere) or later"};
    }
    TRY_VOID(card.ask(cudaDeviceGetAttribute(&card.shared_max_,
                                             cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal)));
    TRY_VOID(card.use());
    TRY_VOID(card.ask(cudaStreamCreateWithFlags(&card.stream_, cudaStreamNonBlocking)));
    return card;
  }
  Card(Card&& other) noexcept
      : ordinal_(other.ordinal_),
        shared_max_(other.shared_max_),
        stream_(std::exchange(other.stream_, nullptr)) {}
  Card& operator=(Card&&) = delete;
  ~Card() {
    if (stream_ != nullptr) static_cast<void>(cudaStreamDestroy(stream_));
  }

  Result<void*> allocate(size_t bytes) {
    void* at = nullptr;
    TRY_VOID(use());
    TRY_VOID(ask(cudaMalloc(&at, bytes)));
    return at;
  }
  void release(void* at) {
    if (at != nullptr) static_cast<void>(cudaFree(at));
  }
  Result<void> upload(void* to, const void* from, size_t bytes) {
    return copy(to, from, bytes, cudaMemcpyHostToDevice);
  }
  Result<void> download(void* to, const void* from, size_t bytes) const {
    return copy(to, from, bytes, cudaMemcpyDeviceToHost);
  }
  Result<void> move(void* to, const void* from, size_t bytes) {
    return copy(to, from, bytes, cudaMemcpyDeviceToDevice);
  }
  Result<void> clear(void* at, size_t bytes) {
    TRY_VOID(use());
    TRY_VOID(ask(cudaMemsetAsync(at, 0, bytes, stream_)));
    return finish();
  }
  Result<void> finish() const { return ask(cudaStreamSynchronize(stream_)); }

  template <class Kernel>
  Result<void> launch(uint32_t blocks, const typename Kernel::Args& args) {
    const size_t shared = Kernel::template shared_bytes<DeviceBlock<Kernel::kThreads>>(args);
    if (shared > static_cast<size_t>(shared_max_)) {
      return Error{Code::kUnavailable, name_of(ordinal_) + ": has too little shared memory for " +
                                           "so many values kept of a tile"};
    }
    TRY_VOID(use());
    TRY_VOID(
        ask(cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(shared))));
    run_kernel<Kernel><<<blocks, Kernel::kThreads, shared, stream_>>>(args);
    return ask(cudaGetLastError());
  }

 private:
  explicit Card(int ordinal) : ordinal_(ordinal) {}

  Result<void> use() const { return ask(cudaSetDevice(ordinal_)); }
  Result<void> copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) const {
    TRY_VOID(use());
    TRY_VOID(ask(cudaMemcpyAsync(to, from, bytes, kind, stream_)));
    return finish();
  }
  Result<void> ask(cudaError_t answer) const {
    if (answer == cudaSuccess) return {};
    const Code code = answer == cudaErrorMemoryAllocation ? Code::kExhausted : Code::kUnavailable;
    return Error{code, name_of(ordinal_) + ": " + cudaGetErrorString(answer)};
  }

  int ordinal_;
  int shared_max_ = 0;
  cudaStream_t stream_ = nullptr;
};

}  // namespace
}  // namespace cuda

common::Result<std::unique_ptr<CudaCodec>> make_cuda_codec(int ordinal, const Layout& layout,
                                                           PieceRange range) {
  TRY(cuda::Card card, cuda::Card::open(ordinal));
  return cuda::CodecOn<cuda::Card>::make(std::move(card), layout, range);
}

}  // namespace compress
