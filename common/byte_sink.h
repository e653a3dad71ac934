// Where bytes go that are made piece by piece: a file, a memory, a sealing.
#pragma once

#include "common/bytes.h"
#include "common/result.h"

namespace common {

class ByteSink {
 public:
  virtual ~ByteSink() = default;

  // In the order in which they come, in pieces of any size. After an error all is void.
  virtual Result<void> append(ByteView bytes) = 0;
};

// Grows; for what is known to be small. Never fails.
class MemorySink final : public ByteSink {
 public:
  Result<void> append(ByteView bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  const Bytes& bytes() const& { return bytes_; }
  Bytes bytes() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace common
