// A bucket: keys to bytes, as S3 has it. Ours is written by us; a peer's is read by us and trusted
// in nothing: sizes are bounded before memory is asked for, and what lies there may change between
// reads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/byte_source.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/result.h"

namespace common {

struct ObjectInfo {
  std::string key;
  uint64_t size_bytes = 0;
  Instant modified;  // The store's clock.
};

// A byte range; `size` may reach past the end, which yields what there is.
struct Range {
  uint64_t first = 0;
  uint64_t size = 0;
};

// Keys are 1 to 1,024 bytes of [A-Za-z0-9._/-], no empty, "." or ".." segment; anything else is
// kInvalidArgument. A missing object is kNotFound, and only when the store answered so.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Whole or not at all: a reader sees the old bytes or the new ones, also after a crash.
  virtual Result<void> put(std::string_view key, ByteView bytes) = 0;
  // The same of what is too large for memory: read piece by piece, and a few MiB of it held. If the
  // source fails, its error, and nothing is put.
  virtual Result<void> put_from(std::string_view key, const ByteSource& source) = 0;
  // kExhausted, before reading, if the object is longer than `size_max`.
  virtual Result<Bytes> get(std::string_view key, uint64_t size_max) = 0;
  // A part of it; empty past its end.
  virtual Result<Bytes> get_range(std::string_view key, Range range) = 0;
  virtual Result<ObjectInfo> head(std::string_view key) = 0;
  // All keys that begin with `prefix`, ascending; kExhausted over `count_max`.
  virtual Result<std::vector<ObjectInfo>> list(std::string_view prefix, size_t count_max) = 0;
  // Removing what is not there is no error.
  virtual Result<void> remove(std::string_view key) = 0;
};

// Whether `key` is one that every store accepts.
bool valid_key(std::string_view key);

// Opens the bucket that an address names: "file:///abs/path" (a folder, made if absent and
// writable). kInvalidArgument for another scheme, kPermission if a folder cannot be written and
// `writable` is asked.
Result<std::unique_ptr<ObjectStore>> open_store(std::string_view address, bool writable);

}  // namespace common
