// How an update becomes bytes. Canonical: one update has one byte string, on every machine.
//
// A codec is a format for every layout (compress/body_format.h), and what is done with it is done
// piece by piece: compress/body_stream.h writes and reads bodies of any size, compress/examine.h
// judges them, compress/outer_step.h sums them. The functions here hold a whole body, or a whole
// update, in memory.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "common/bytes.h"
#include "common/hparams.h"
#include "common/result.h"
#include "common/verdict.h"
#include "compress/body_format.h"
#include "compress/layout.h"
#include "compress/update.h"

namespace compress {

class Codec {
 public:
  // Works on so many threads, a piece each at a time; what comes out does not depend on it.
  explicit Codec(uint32_t threads = 1) : threads_(threads) {}
  virtual ~Codec() = default;

  virtual std::string_view name() const = 0;
  // `layout` outlives it.
  virtual std::unique_ptr<const BodyFormat> format(const Layout& layout) const = 0;
  uint32_t threads() const { return threads_; }

  // values (N) fp32, finite (CHECK: NaN in our own update is a bug).
  Bytes encode(std::span<const float> values, const Layout& layout) const;
  // One window of error feedback (PieceEncoder::feedback), in place.  e, delta (N) fp32
  Bytes encode_feedback(std::span<float> e, float decay, std::span<const float> delta,
                        const Layout& layout) const;
  // Strict: exactly what `encode` can have written for this layout, or kOversized, kWrongShape,
  // kMalformed (PieceTable::parse); what is wrong with the first piece that a decoder refuses;
  // kEmpty (so is our own update, if all of it is zero). Asks for no more memory than the layout
  // implies.
  Judged<Update> decode(ByteView body, const Layout& layout) const;
  // The longest body that `decode` would accept, in bytes.
  uint64_t body_size_max(const Layout& layout) const;

 private:
  uint32_t threads_;
};

// kInvalidArgument for a name that is none: "sparseloco". It works on so many `threads`; the bytes
// are the same for any number.
common::Result<std::unique_ptr<Codec>> make_codec(const common::CodecParams& params,
                                                  uint32_t threads = 1);

}  // namespace compress
