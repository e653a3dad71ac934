// Tokens on disk: shards of uint16 or uint32, memory-mapped, listed in manifest.json with sizes and
// hashes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/files.h"
#include "common/hash.h"
#include "common/result.h"

namespace train {

// manifest.json of a data set: written by `muster data tokenize`, read by every node. The hash of
// its canonical text stands in the hparams.
struct DatasetManifest {
  struct Shard {
    std::string file;  // Beside the manifest.
    uint64_t token_count = 0;
    common::Hash hash;  // BLAKE2b-256 of the file.
  };
  uint32_t version = 1;
  std::string tokenizer;        // "sentencepiece" or "bytes"
  common::Hash tokenizer_hash;  // Of tokenizer.model; zero for bytes.
  uint32_t vocabulary = 0;      // Tokens are below it.
  uint32_t token_bytes = 0;     // 2 or 4
  uint32_t end_of_document = 0;
  uint64_t text_bytes = 0;  // Of the text they were made from: for bits per byte.
  uint64_t document_count = 0;
  std::vector<Shard> shards;

  uint64_t token_count() const;
  // 2 while every token of the vocabulary fits into 16 bits, or else 4.
  static uint32_t token_bytes_for(uint32_t vocabulary);
  // Strict: an unknown or missing key, a value out of range, two shards of one name are
  // kInvalidArgument. Bounds: 16 MiB of text, 65,536 shards of 2^28 tokens.
  static common::Result<DatasetManifest> parse(std::string_view json);
  // One text for one manifest: keys sorted, no spaces. manifest.json is exactly this, so that
  // `b2sum -l 256 manifest.json` shows its hash.
  std::string canonical() const;
  common::Hash hash() const;
};

// The manifest.json of `folder`. kNotFound if there is none, kInvalidArgument if it is not a
// manifest.
common::Result<DatasetManifest> read_manifest(const std::filesystem::path& folder);

// A data set opened for reading. Sample i is sequence_length + 1 tokens, beginning at i *
// sequence_length; the shards read as one long text.
class Dataset {
 public:
  // kNotFound, kInvalidArgument (too short for one sample; a shard that is not what the manifest
  // says, by size), kCorrupt if `expected` is not the manifest's hash: the sentence shows both and
  // says what to do. `verify` also reads and hashes every shard.
  static common::Result<Dataset> open(const std::filesystem::path& folder,
                                      const common::Hash& expected, uint32_t sequence_length,
                                      bool verify = false);

  const DatasetManifest& manifest() const { return manifest_; }
  uint64_t sample_count() const { return sample_count_; }
  // sequence_length + 1 tokens.  Pre: sample < sample_count().
  std::vector<uint32_t> sample(uint64_t sample) const;

 private:
  DatasetManifest manifest_;
  std::vector<common::MappedFile> shards_;
  std::vector<uint64_t> first_token_;  // Of each shard, and the total.
  uint32_t sequence_length_ = 0;
  uint64_t sample_count_ = 0;

  uint32_t token(uint64_t index) const;
};

}  // namespace train
