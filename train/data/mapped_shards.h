// The shards of a folder, memory-mapped.
#pragma once

#include <filesystem>
#include <memory>

#include "train/data/shard_source.h"
#include "train/dataset_manifest.h"

namespace train {

// kNotFound for a shard that is not there, kInvalidArgument for one of another size than the
// manifest says. Costs a mapping a shard and no memory; pages come and go with the kernel.
common::Result<std::unique_ptr<ShardSource>> map_shards(const std::filesystem::path& folder,
                                                        const DatasetManifest& manifest);

}  // namespace train
