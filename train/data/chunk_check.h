// Whether what a folder or a bucket gave is what the manifest names.
#pragma once

#include <string>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/object_store.h"
#include "common/result.h"
#include "train/dataset_manifest.h"

namespace train {

// Where chunk `index` of the shard lies in it.  Pre: index < chunk_count(shard).
common::Range chunk_range(const DatasetManifest& manifest, const DatasetManifest::Shard& shard,
                          uint64_t index);

// kCorrupt with the names of shard, chunk and `address`, both hashes, and what to do.
common::Result<void> check_chunk(const DatasetManifest& manifest,
                                 const DatasetManifest::Shard& shard, uint64_t index,
                                 const common::Hash& expected, common::ByteView bytes,
                                 const std::string& address);
// The same for all of <file>.hashes.
common::Result<void> check_hashes(const DatasetManifest& manifest,
                                  const DatasetManifest::Shard& shard, common::ByteView bytes,
                                  const std::string& address);
// The `index`-th of checked hashes.
common::Hash hash_at(common::ByteView hashes, uint64_t index);

}  // namespace train
