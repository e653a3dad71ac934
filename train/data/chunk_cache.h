// Chunks kept on this disk, named after their hashes, the least recently used thrown out first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/result.h"

namespace train {

// <folder>/ab/abcd...: a file a chunk, 64 hex digits of its BLAKE2b-256. Nothing is trusted: what
// is read is hashed (0.07 ms for 64 KiB), and what does not hash to its name is removed, so that
// nothing has to be synced and a kill at any time costs at most some chunks. After a restart the
// order is that of the files' times. Safe from several threads of one process.
//
// Costs a file and 150 bytes of memory a chunk: 8 GiB of 64 KiB are 131,072 files.
class ChunkCache {
 public:
  // Keeps nothing.
  ChunkCache();
  // Opens the folder, made if absent, takes in what lies there, and evicts what is too much. Files
  // that are none of ours are left alone; half-written ones are removed.
  static common::Result<ChunkCache> open(const std::filesystem::path& folder,
                                         uint64_t size_bytes_max);
  ChunkCache(ChunkCache&&) noexcept;
  ChunkCache& operator=(ChunkCache&&) noexcept;
  ~ChunkCache();

  // The chunk of this hash, of at most `size_max` bytes; nothing if it is not here or was damaged.
  std::optional<common::Bytes> get(const common::Hash& hash, uint64_t size_max);
  // Keeps it, and throws out what is then too much; nothing if it alone is over the limit.
  // Pre: bytes hash to `hash`. kIo, kExhausted (a full disk): then it is not kept.
  common::Result<void> put(const common::Hash& hash, common::ByteView bytes);

  // Bytes of all files; never over the limit.
  uint64_t size_bytes() const;
  uint64_t count() const;

 private:
  struct State;
  explicit ChunkCache(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace train
