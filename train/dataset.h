// A data set opened for reading: token shards in a folder, memory-mapped, or in a bucket, fetched
// piece by piece.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash.h"
#include "common/object_store.h"
#include "common/result.h"
#include "train/dataset_manifest.h"

namespace train {

// Where the chunks of a set in a bucket are kept, and how many of them.
struct DatasetCache {
  std::filesystem::path folder;  // One process at a time. Empty: nothing is kept.
  uint64_t size_bytes_max = 0;
};

// Sample i is sequence_length + 1 tokens, beginning at i * sequence_length; the shards read as one
// long text.
//
// Of a folder nothing is copied or hashed: it is ours, and verify() is there for doubts. Of a
// bucket every chunk is checked against the manifest before a token of it is used, then kept in
// the cache; one that is wrong is asked for once more and then refused by its name. A store that
// does not answer is asked four times within a second.
class Dataset {
 public:
  // `address`: a folder, or a bucket ("file:///abs/path"). kNotFound, kInvalidArgument (too short
  // for one sample; of a folder, a shard that is not what the manifest says, by size), kCorrupt if
  // `expected` is not the manifest's hash: the sentence shows both and says what to do.
  // kUnavailable and the like of a bucket that cannot be read.
  static common::Result<Dataset> open(const std::string& address, const common::Hash& expected,
                                      uint32_t sequence_length, const DatasetCache& cache = {});
  // The same of a bucket that is open; `address` is what messages call it.
  static common::Result<Dataset> open(std::unique_ptr<common::ObjectStore> bucket,
                                      const std::string& address, const common::Hash& expected,
                                      uint32_t sequence_length, const DatasetCache& cache = {});
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;
  ~Dataset();

  const DatasetManifest& manifest() const;
  uint64_t sample_count() const { return sample_count_; }
  // Whether reading may have to wait for a bucket: what a Prefetcher is for.
  bool is_remote() const { return remote_; }

  // sequence_length + 1 tokens.  Pre: sample < sample_count(). Safe from several threads at once.
  // kCorrupt, with shard and chunk, for a chunk that is not what the manifest says or a token that
  // is not of the vocabulary; from a bucket also its store's trouble.
  common::Result<std::vector<uint32_t>> sample(uint64_t sample) const;

  // Reads everything once, past the cache: every chunk is what the manifest says, every token of
  // the vocabulary. The first that is not is the error. Memory: a chunk and the hashes of a shard.
  // `progress` is called now and then: bytes done, of all.
  common::Result<void> verify(const std::function<void(uint64_t, uint64_t)>& progress = {}) const;

 private:
  struct Parts;
  explicit Dataset(std::unique_ptr<Parts> parts);
  // What both ways to open end in.
  static common::Result<Dataset> make(Parts parts, const common::Hash& expected,
                                      uint32_t sequence_length);

  std::unique_ptr<Parts> parts_;
  uint32_t sequence_length_ = 0;
  uint64_t sample_count_ = 0;
  bool remote_ = false;
};

// Whether `address` names a bucket rather than a folder.
bool is_bucket_address(std::string_view address);

// The manifest at `address`, a folder or a bucket.
common::Result<DatasetManifest> read_manifest_at(const std::string& address);

}  // namespace train
