// The shards of a bucket: ranges are fetched when they are needed, checked, and kept.
#pragma once

#include <memory>
#include <string>

#include "common/object_store.h"
#include "train/data/chunk_cache.h"
#include "train/data/shard_source.h"
#include "train/dataset_manifest.h"

namespace train {

// `address` is what messages call the bucket. Of a shard that is touched, all of <file>.hashes is
// fetched first and kept like a chunk; those touched last stay in memory, 64 MiB of them. Two
// threads that want the same chunk fetch it once. What cannot be kept (a full disk) is used all the
// same, and a warning is logged once.
std::unique_ptr<ShardSource> remote_shards(std::unique_ptr<common::ObjectStore> bucket,
                                           std::string address, DatasetManifest manifest,
                                           ChunkCache cache);

}  // namespace train
