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
#include "compress/codec.h"
#include "compress/layout.h"

namespace compress {

// One miner's memory: N values of fp32. Survives a restart (save, load): losing it costs a miner
// what it had learned but not yet sent.
class ErrorFeedback {
 public:
  ErrorFeedback(uint64_t parameter_count, double decay);

  // One window, all three steps; a codec may do them in one pass. Returns c.
  Bytes encode(const Codec& codec, std::span<const float> delta, const Layout& layout);

  // The same one by one.
  void add(std::span<const float> delta);  // e = beta * e + delta
  std::span<const float> values() const { return values_; }
  void subtract(const Update& sent, const Layout& layout);  // e = e - decode(c)
  void reset();

  // Atomic and versioned, hashed; `window` is the one it is the state after. load: kNotFound if
  // absent, kCorrupt if damaged or of another size.
  common::Result<void> save(const std::filesystem::path& file, common::Window window) const;
  common::Result<common::Window> load(const std::filesystem::path& file);

 private:
  std::vector<float> values_;
  float decay_;
};

}  // namespace compress
