#include "train/data/chunk_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/check.h"

namespace train {

using common::ByteView;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;

common::Range chunk_range(const DatasetManifest& manifest, const DatasetManifest::Shard& shard,
                          uint64_t index) {
  const uint64_t first = index * manifest.chunk_bytes;
  const uint64_t end = manifest.shard_bytes(shard);
  CHECK(first < end);
  return {first, std::min<uint64_t>(manifest.chunk_bytes, end - first)};
}

Result<void> check_chunk(const DatasetManifest& manifest, const DatasetManifest::Shard& shard,
                         uint64_t index, const Hash& expected, ByteView bytes,
                         const std::string& address) {
  const common::Range range = chunk_range(manifest, shard, index);
  const std::string name = fmt::format("{}, chunk {} (bytes {} to {}) of {}", shard.file, index,
                                       range.first, range.first + range.size - 1, address);
  if (bytes.size() != range.size) {
    return Error{Code::kCorrupt,
                 fmt::format("{}: {} bytes came of {}: the shard is cut short; fetch the data set "
                             "again, or use another copy of it",
                             name, bytes.size(), range.size)};
  }
  if (const Hash actual = common::blake2b_256(bytes); actual != expected) {
    return Error{Code::kCorrupt,
                 fmt::format("{} is damaged: its hash is {}, the data set says {}; fetch the data "
                             "set again, or use another copy of it",
                             name, actual.hex(), expected.hex())};
  }
  return {};
}

Result<void> check_hashes(const DatasetManifest& manifest, const DatasetManifest::Shard& shard,
                          ByteView bytes, const std::string& address) {
  const Hash actual = common::blake2b_256(bytes);
  if (bytes.size() == manifest.chunk_count(shard) * sizeof(Hash::bytes) && actual == shard.hashes) {
    return {};
  }
  return Error{Code::kCorrupt,
               fmt::format("{} of {} is damaged: its hash is {}, the manifest says {}; fetch the "
                           "data set again, or use another copy of it",
                           hashes_file(shard.file), address, actual.hex(), shard.hashes.hex())};
}

Hash hash_at(ByteView hashes, uint64_t index) {
  const auto hash =
      Hash::from_bytes(hashes.subspan(index * sizeof(Hash::bytes), sizeof(Hash::bytes)));
  CHECK(hash.has_value());
  return *hash;
}

}  // namespace train
