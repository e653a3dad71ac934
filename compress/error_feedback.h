// What was not sent is not lost: it is added to the next window's update, decayed.
//
//   e = beta * e + delta;   c = encode(e);   e = e - decode(c)
//
// Source: SparseLoCo, arXiv:2508.15706; protocol section 4.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "common/result.h"
#include "common/window.h"
#include "compress/body_stream.h"
#include "compress/codec.h"
#include "compress/layout.h"

namespace compress {

// One miner's memory: N values of fp32, or those of a rank's pieces. Survives a restart (save,
// load): losing it costs a miner what it had learned but not yet sent.
class ErrorFeedback {
 public:
  ErrorFeedback(uint64_t parameter_count, double decay);

  // One window, all three steps; a codec may do them in one pass. Returns c.
  Bytes encode(const Codec& codec, std::span<const float> delta, const Layout& layout);

  // The same for write_pieces (compress/body_stream.h), which hands on the pieces of `range` as
  // they are made: nothing of the size of the model is asked for. delta  the values of the range,
  // as ours Outlived by this, format and delta. If the writing fails, load what was saved: of the
  // pieces that were made, what they had sent is gone.
  NewPieceMaker encode(const BodyFormat& format, PieceRange range, std::span<const float> delta);

  // The first one step by step.
  void add(std::span<const float> delta);  // e = beta * e + delta
  std::span<const float> values() const { return values_; }
  void subtract(const Update& sent, const Layout& layout);  // e = e - decode(c)
  void reset();
  // theta -= e: where the model would be if nothing of ours were held back. theta (N)
  void look_ahead(std::span<float> theta) const;

  // Atomic and versioned, hashed; `window` is the one it is the state after. load: kNotFound if
  // absent, kCorrupt if damaged or of another size, and then nothing was changed. Memory: 8 MiB.
  common::Result<void> save(const std::filesystem::path& file, common::Window window) const;
  common::Result<common::Window> load(const std::filesystem::path& file);

 private:
  std::vector<float> values_;
  float decay_;
};

}  // namespace compress
