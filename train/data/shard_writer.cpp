#include "train/data/shard_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/files.h"

namespace train {

using common::Result;

ShardWriter::ShardWriter(std::filesystem::path folder, const DatasetManifest& manifest,
                         uint64_t shard_tokens, size_t number)
    : folder_(std::move(folder)),
      token_bytes_(manifest.token_bytes),
      chunk_bytes_(manifest.chunk_bytes),
      shard_tokens_(shard_tokens),
      number_(number) {
  CHECK(shard_tokens > 0 && chunk_bytes_ % token_bytes_ == 0);
  chunk_.reserve(chunk_bytes_);
}

Result<size_t> ShardWriter::add(std::span<const uint32_t> tokens) {
  CHECK(!full());
  if (!file_) {
    shard_.file = fmt::format("tokens-{:05}.bin", number_);
    TRY(file_, common::FileWriter::create(folder_ / shard_.file));
  }
  const auto room =
      static_cast<size_t>(std::min<uint64_t>(tokens.size(), shard_tokens_ - shard_.token_count));
  for (size_t done = 0; done < room;) {
    const size_t count = std::min(room - done, (chunk_bytes_ - chunk_.size()) / token_bytes_);
    const size_t at = chunk_.size();
    chunk_.resize(at + count * token_bytes_);
    if (token_bytes_ == sizeof(uint32_t)) {
      std::memcpy(chunk_.data() + at, tokens.data() + done, count * sizeof(uint32_t));
    } else {
      for (size_t i = 0; i < count; ++i) {
        const auto token = static_cast<uint16_t>(tokens[done + i]);
        std::memcpy(chunk_.data() + at + i * sizeof token, &token, sizeof token);
      }
    }
    done += count;
    if (chunk_.size() == chunk_bytes_) TRY_VOID(flush_chunk());
  }
  shard_.token_count += room;
  return room;
}

Result<void> ShardWriter::flush_chunk() {
  const common::Hash hash = common::blake2b_256(chunk_);
  hashes_.insert(hashes_.end(), hash.bytes.begin(), hash.bytes.end());
  TRY_VOID(file_->append(chunk_));
  chunk_.clear();
  return {};
}

Result<DatasetManifest::Shard> ShardWriter::finish() {
  CHECK(!empty());
  if (!chunk_.empty()) TRY_VOID(flush_chunk());
  shard_.hashes = common::blake2b_256(hashes_);
  TRY_VOID(common::write_file(folder_ / hashes_file(shard_.file), hashes_));
  TRY_VOID(file_->commit());
  file_.reset();
  hashes_.clear();
  ++number_;
  return std::exchange(shard_, {});
}

}  // namespace train
