// How an update becomes bytes. Canonical: one update has one byte string, on every machine.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <tl/expected.hpp>

#include "common/bytes.h"
#include "common/hparams.h"
#include "common/result.h"
#include "common/verdict.h"
#include "compress/layout.h"
#include "compress/update.h"

namespace compress {

using common::Bytes;
using common::ByteView;
using common::Verdict;

// A T, or what the peer who sent the bytes did wrong.
template <typename T>
using Judged = tl::expected<T, Verdict>;

// Ranks of a large model read only their part: the body is a table of `tile groups` and their
// bytes.
class Codec {
 public:
  virtual ~Codec() = default;

  virtual std::string_view name() const = 0;
  // values (N) fp32, finite (CHECK: NaN in our own update is a bug).
  virtual Bytes encode(std::span<const float> values, const Layout& layout) const = 0;
  // One window of error feedback (compress/error_feedback.h), in place:
  //   e = decay * e + delta;  the body is encode(e);  e = e - decode(body)
  // e, delta (N) fp32. Every operation is rounded on its own, so a codec that does it all in one
  // pass over memory gives the same bits as this, which takes four.
  virtual Bytes encode_feedback(std::span<float> e, float decay, std::span<const float> delta,
                                const Layout& layout) const;
  // Strict: exactly what `encode` can have written for this layout, or kMalformed, kOversized,
  // kWrongShape, kNonFinite, kEmpty (so is our own update, if all of it is zero). Asks for no more
  // memory than the layout implies.
  virtual Judged<Update> decode(ByteView body, const Layout& layout) const = 0;
  // The longest body that `decode` would accept, in bytes.
  virtual uint64_t body_size_max(const Layout& layout) const = 0;
};

// kInvalidArgument for a name that is none: "sparseloco". It works on so many `threads`; the bytes
// are the same for any number.
common::Result<std::unique_ptr<Codec>> make_codec(const common::CodecParams& params,
                                                  uint32_t threads = 1);

}  // namespace compress
