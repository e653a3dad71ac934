// manifest.json of a data set: its shards, and what proves every piece of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/result.h"

namespace train {

// Written by `muster data tokenize`, read by every node. The hash of its canonical text stands in
// the hparams, and everything else hangs from it: a shard is cut into chunks of `chunk_bytes`,
// <file>.hashes is the BLAKE2b-256 of each chunk, one after another, and the hash of that stands
// here. So any range of any shard can be checked alone, wherever it came from.
//
// What it costs at Covenant's scale, 1.1 T tokens of 4 bytes in 4,400 shards of 1 GB with chunks of
// 64 KiB: this text 0.7 MB; <file>.hashes 0.5 MB for a shard, 2.2 GB for all (0.05 %). A sample of
// 2,048 tokens (8 KiB) drawn anywhere costs a chunk, 1.12 on the average: 30 steps of 192 samples
// read 420 MB a window, 7 s at 500 Mbit/s. Larger chunks read more each window, smaller ones more
// hashes: 1 MiB chunks would read 5.9 GB.
struct DatasetManifest {
  struct Shard {
    std::string file;  // Beside the manifest; its hashes are <file>.hashes.
    uint64_t token_count = 0;
    common::Hash hashes;  // BLAKE2b-256 of <file>.hashes.
  };
  static constexpr uint32_t kVersion = 2;
  static constexpr uint32_t kChunkBytes = 64 << 10;

  uint32_t version = kVersion;
  std::string tokenizer;               // "sentencepiece", "huggingface" or "bytes"
  common::Hash tokenizer_hash;         // Of its file (train/tokenizer.h); zero for bytes.
  uint32_t vocabulary = 0;             // Tokens are below it.
  uint32_t token_bytes = 0;            // 2 or 4
  uint32_t chunk_bytes = kChunkBytes;  // A power of two, 4 KiB to 16 MiB.
  uint32_t end_of_document = 0;
  uint64_t text_bytes = 0;  // Of the text they were made from: for bits per byte.
  uint64_t document_count = 0;
  std::vector<Shard> shards;

  uint64_t token_count() const;
  // 2 while every token of the vocabulary fits into 16 bits, or else 4.
  static uint32_t token_bytes_for(uint32_t vocabulary);
  // Strict: an unknown or missing key, a value out of range, two shards of one name are
  // kInvalidArgument, and so is another version, with what to do. Bounds: 16 MiB of text, 65,536
  // shards of 2^28 tokens.
  static common::Result<DatasetManifest> parse(std::string_view json);
  // One text for one manifest: keys sorted, no spaces. manifest.json is exactly this, so that
  // `b2sum -l 256 manifest.json` shows its hash.
  std::string canonical() const;
  common::Hash hash() const;

  uint64_t shard_bytes(const Shard& shard) const { return shard.token_count * token_bytes; }
  // How many chunks a shard has, the last of them perhaps shorter.
  uint64_t chunk_count(const Shard& shard) const {
    return (shard_bytes(shard) + chunk_bytes - 1) / chunk_bytes;
  }
};

inline constexpr uint64_t kDatasetManifestSizeMax = 16 << 20;
inline constexpr size_t kShardsMax = 65'536;
inline constexpr uint64_t kShardTokensMax = 1 << 28;

// What <file>.hashes holds for a shard of these bytes.
common::Bytes chunk_hashes(common::ByteView shard, uint32_t chunk_bytes);
// "tokens-00000.bin" -> "tokens-00000.bin.hashes"
std::string hashes_file(std::string_view shard_file);

// The manifest.json of `folder`. kNotFound if there is none, kInvalidArgument if it is not a
// manifest.
common::Result<DatasetManifest> read_manifest(const std::filesystem::path& folder);

}  // namespace train
