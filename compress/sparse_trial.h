// A contribution put on and taken off: what a judge does to measure it.
#pragma once

#include <span>
#include <vector>

#include "common/result.h"
#include "compress/body_stream.h"

namespace compress {

// theta - scale[t] * values of tensor t, until it is undone: by copy, so every bit comes back
// ((a - b) + b is not a in floating point). Memory: 4 bytes a value that was sent, and what
// visit_pieces takes. One at a time for a theta.
class SparseTrial {
 public:
  // On `threads` threads. theta (N); scale: one a tensor. After an error theta is what it was, if
  // the part that was put on could be read again to take it off; if not, the error says so
  // (kCorrupt) and theta is void.
  static common::Result<SparseTrial> put_on(std::span<float> theta, const StoredBody& body,
                                            const BodyFormat& format, std::span<const float> scale,
                                            uint32_t threads);
  SparseTrial(SparseTrial&& other) noexcept;
  SparseTrial& operator=(SparseTrial&&) = delete;
  ~SparseTrial();  // CHECK that it was taken off: a destructor reads no files.

  // Reads the contribution once more, for where its values lie. After an error theta is void.
  common::Result<void> take_off();

 private:
  SparseTrial(std::span<float> theta, const StoredBody& body, const BodyFormat& format,
              uint32_t threads);

  std::span<float> theta_;
  const StoredBody* body_;
  const BodyFormat* format_;
  uint32_t threads_;
  std::vector<std::vector<float>> before_;  // Of each piece's values; empty: it is not put on.
  bool on_ = true;
};

}  // namespace compress
