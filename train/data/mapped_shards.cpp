#include "train/data/mapped_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/files.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Result;

class MappedShards final : public ShardSource {
 public:
  MappedShards(fs::path folder, const DatasetManifest& manifest,
               std::vector<common::MappedFile> shards)
      : folder_(std::move(folder)), shards_(std::move(shards)) {
    for (const auto& shard : manifest.shards) {
      hashes_.push_back({folder_ / hashes_file(shard.file),
                         manifest.chunk_count(shard) * sizeof(common::Hash::bytes)});
    }
  }

  Result<void> read(size_t shard, uint64_t first, std::span<uint8_t> into) override {
    const ByteView bytes = shards_[shard].bytes();
    CHECK(first <= bytes.size() && into.size() <= bytes.size() - first);
    std::copy_n(bytes.data() + first, into.size(), into.data());
    return {};
  }
  Result<Bytes> raw(size_t shard, common::Range range) override {
    Bytes bytes(range.size);
    TRY_VOID(read(shard, range.first, bytes));
    return bytes;
  }
  Result<Bytes> raw_hashes(size_t shard) override {
    return common::read_file(hashes_[shard].file, hashes_[shard].size_bytes);
  }

 private:
  struct Hashes {
    fs::path file;
    uint64_t size_bytes;
  };
  fs::path folder_;
  std::vector<common::MappedFile> shards_;
  std::vector<Hashes> hashes_;
};

}  // namespace

Result<std::unique_ptr<ShardSource>> map_shards(const fs::path& folder,
                                                const DatasetManifest& manifest) {
  std::vector<common::MappedFile> shards;
  for (const DatasetManifest::Shard& shard : manifest.shards) {
    TRY(common::MappedFile file, common::MappedFile::open(folder / shard.file));
    if (file.bytes().size() != manifest.shard_bytes(shard)) {
      return Error{Code::kInvalidArgument,
                   fmt::format("{} has {} bytes; by the manifest it has {}: fetch the data set "
                               "again, or make it anew",
                               (folder / shard.file).string(), file.bytes().size(),
                               manifest.shard_bytes(shard))};
    }
    shards.push_back(std::move(file));
  }
  return std::unique_ptr<ShardSource>(
      std::make_unique<MappedShards>(folder, manifest, std::move(shards)));
}

}  // namespace train
