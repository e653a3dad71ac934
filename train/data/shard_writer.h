// Writes one shard and its hashes, however large, from a chunk of memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "common/bytes.h"
#include "common/file_writer.h"
#include "common/result.h"
#include "train/dataset_manifest.h"

namespace train {

// tokens-00000.bin, tokens-00001.bin, ... of at most `shard_tokens` tokens each. A shard appears
// whole, after its last token, and before it <file>.hashes.
class ShardWriter {
 public:
  // `number`: of the first shard.
  ShardWriter(std::filesystem::path folder, const DatasetManifest& manifest, uint64_t shard_tokens,
              size_t number);

  // As many of `tokens` as the shard has room for; yields how many.  Pre: not full.
  common::Result<size_t> add(std::span<const uint32_t> tokens);
  bool full() const { return shard_.token_count == shard_tokens_; }
  bool empty() const { return shard_.token_count == 0; }
  // What the manifest says of it, when it is on the disk. The next token begins the next shard.
  // Pre: not empty.
  common::Result<DatasetManifest::Shard> finish();

 private:
  common::Result<void> flush_chunk();

  std::filesystem::path folder_;
  uint32_t token_bytes_;
  uint32_t chunk_bytes_;
  uint64_t shard_tokens_;
  size_t number_;
  std::optional<common::FileWriter> file_;
  common::Bytes chunk_;
  common::Bytes hashes_;
  DatasetManifest::Shard shard_;
};

}  // namespace train
