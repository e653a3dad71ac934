// Where the bytes of a data set's shards come from.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "common/bytes.h"
#include "common/object_store.h"
#include "common/result.h"

namespace train {

// Two there are: a folder that is mapped, and a bucket that is asked. Safe from several threads.
class ShardSource {
 public:
  virtual ~ShardSource() = default;

  // Bytes first .. first + into.size() of a shard, to be relied on.  Pre: the shard has them.
  virtual common::Result<void> read(size_t shard, uint64_t first, std::span<uint8_t> into) = 0;
  // A part of a shard, and all of its hashes, as they lie there: not checked, not kept, perhaps
  // shorter than they should be.
  virtual common::Result<common::Bytes> raw(size_t shard, common::Range range) = 0;
  virtual common::Result<common::Bytes> raw_hashes(size_t shard) = 0;
};

}  // namespace train
