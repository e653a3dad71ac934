// Sparseloco on an NVIDIA card: the same bits as on the CPU, from memory of the card to bytes of a
// body, and back (compress/sparseloco.h, compress/aggregate.h, compress/sparse_trial.h).
//
// The kernels' bodies are run step by step on the host by the tests and compared with the CPU's
// codec byte for byte. They have never been run on a card: what is said of their speed here follows
// from the bytes that they move.
//
// Moved per parameter, at 64 of 4,096 kept: feedback 12 bytes and 0.2 for bodies and heads;
// aggregate 4 and outer_step 8, and 0.02 a contributor; put_on and take_off 1 and 0.05 each. Memory
// of the card beside e, theta and bodies: encoding 0.05 bytes a parameter, of each body 0.023 and
// 0.004 for where its tiles are, of each trial 0.0625.
//
// All work is done when a call returns. A codec, and what it made, is one thread's. Errors: what
// the driver says (kUnavailable), no memory left on the card (kExhausted); after one, what the call
// was to change is void.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "common/window.h"
#include "compress/body_format.h"

namespace compress {

// fp32 in a card's memory.
class CudaFloats {
 public:
  virtual ~CudaFloats() = default;
  // An address of the card.
  virtual float* data() const = 0;
  virtual uint64_t count() const = 0;
  // To the card, back, and from another place on it: (count)
  virtual common::Result<void> set(std::span<const float> values) = 0;
  virtual common::Result<void> get(std::span<float> values) const = 0;
  virtual common::Result<void> copy(const CudaFloats& from) = 0;
};

// A body's pieces on a card, that were judged; made and read by one codec, which outlives it.
class CudaBody {
 public:
  virtual ~CudaBody() = default;
  // What each holds: [piece of the range][run], as judge_pieces (compress/body_stream.h).
  virtual std::span<const std::vector<RunSum>> sums() const = 0;
};

// An update that is on theta until it is taken off.
class CudaTrial {
 public:
  virtual ~CudaTrial() = default;
};

// One who contributes. `sums` are of the whole body, whoever judged its pieces.
struct CudaContributor {
  common::Uid uid;
  double weight = 1.0;             // From the manifest, finite (CHECK).
  const CudaBody* body = nullptr;  // Both outlive the call.
  const BodySums* sums = nullptr;
};

// Of the pieces of one range. Arrays are the card's, hold the range's values from its first on, and
// move fastest on boundaries of 16 bytes, where all memory of CUDA begins. What others do with them
// is done when a method is called.
class CudaCodec {
 public:
  virtual ~CudaCodec() = default;

  // Values of the range: of e, delta, G and theta.
  virtual uint64_t value_count() const = 0;
  // Not set yet.
  virtual common::Result<std::unique_ptr<CudaFloats>> floats(uint64_t count) = 0;

  // One window of error feedback, in place (PieceEncoder::feedback). Returns the size of each
  // piece; their bytes stay on the card until the next time. NaN and infinity in our own update are
  // a bug (CHECK).
  virtual common::Result<std::vector<uint32_t>> feedback(float* e, float decay,
                                                         const float* delta) = 0;
  // Of those pieces, one behind the other as write_pieces has them: the bytes from `first` on, all
  // there (CHECK).
  virtual common::Result<void> read(uint64_t first, std::span<uint8_t> bytes) const = 0;

  // Brings pieces to the card and judges them: kMalformed if any is not what `feedback` or the CPU
  // can have written.
  //   sizes  (pieces of the range) as PieceTable::parse accepts them; they sum to `bytes` (CHECK)
  virtual common::Result<Judged<std::unique_ptr<CudaBody>>> judge(
      ByteView bytes, std::span<const uint32_t> sizes) = 0;

  // G of those whose bodies these are, zero for none. They may come in any order; uids are distinct
  // (CHECK), at most 65,535. As `aggregate`, and its signs where params.rule is "sign".
  virtual common::Result<void> aggregate(std::span<const CudaContributor> contributors,
                                         const common::OuterParams& params, float* G) = 0;
  // theta = theta - learning_rate * G; nothing for nobody.
  virtual common::Result<void> outer_step(std::span<const CudaContributor> contributors,
                                          const common::OuterParams& params, float learning_rate,
                                          float* theta) = 0;

  // theta - scale[t] * values of tensor t, until it is taken off, by copy.  scale: one a tensor.
  // Theta and the body are alive and otherwise unchanged until then; one at a time for a theta.
  virtual common::Result<std::unique_ptr<CudaTrial>> put_on(const CudaBody& body,
                                                            std::span<const float> scale,
                                                            float* theta) = 0;
  virtual common::Result<void> take_off(std::unique_ptr<CudaTrial> trial) = 0;
};

// On the card of this number, for some pieces of sparseloco's format of a layout, one at least.
// kUnavailable: built without CUDA, no driver, no such card, one that is too old (before Ampere),
// or more pieces than one card takes.
common::Result<std::unique_ptr<CudaCodec>> make_cuda_codec(int ordinal, const Layout& layout,
                                                           PieceRange range);

}  // namespace compress
