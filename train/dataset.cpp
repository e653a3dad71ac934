#include "train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "train/data/chunk_cache.h"
#include "train/data/chunk_check.h"
#include "train/data/mapped_shards.h"
#include "train/data/remote_shards.h"

namespace train {
namespace {

using common::ByteView;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;

// `tokens` of 2 or 4 bytes each, as numbers.
void widen(ByteView bytes, uint32_t token_bytes, std::span<uint32_t> tokens) {
  if (token_bytes == sizeof(uint32_t)) {
    std::memcpy(tokens.data(), bytes.data(), tokens.size_bytes());
    return;
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    uint16_t token;
    std::memcpy(&token, bytes.data() + i * sizeof token, sizeof token);
    tokens[i] = token;
  }
}

// It would index an embedding: what is out of range never reaches a model.
Result<void> check_tokens(const DatasetManifest& manifest, const DatasetManifest::Shard& shard,
                          uint64_t first, std::span<const uint32_t> tokens,
                          const std::string& address) {
  const auto bad = std::find_if(tokens.begin(), tokens.end(),
                                [&](uint32_t token) { return token >= manifest.vocabulary; });
  if (bad == tokens.end()) return {};
  const uint64_t position = first + static_cast<uint64_t>(bad - tokens.begin());
  return Error{Code::kCorrupt,
               fmt::format("{}, chunk {} of {}: token {} at position {} is not below the "
                           "vocabulary of {}; make or fetch the data set anew",
                           shard.file, position * manifest.token_bytes / manifest.chunk_bytes,
                           address, *bad, position, manifest.vocabulary)};
}

Result<DatasetManifest> fetch_manifest(common::ObjectStore& bucket, const std::string& address) {
  auto text = bucket.get("manifest.json", kDatasetManifestSizeMax);
  if (!text && text.error().code == Code::kNotFound) {
    return Error{
        Code::kNotFound,
        fmt::format("no data set in {}: it holds no manifest.json; copy there what `muster "
                    "data tokenize` made, all of its folder",
                    address)};
  }
  if (!text) return common::within(address, text.error());
  auto manifest = DatasetManifest::parse(common::text_of(*text));
  if (!manifest) return common::within(address + "/manifest.json", manifest.error());
  return manifest;
}

}  // namespace

bool is_bucket_address(std::string_view address) {
  return address.find("://") != std::string_view::npos;
}

Result<DatasetManifest> read_manifest_at(const std::string& address) {
  if (!is_bucket_address(address)) return read_manifest(address);
  TRY(const auto bucket, common::open_store(address, /*writable=*/false));
  return fetch_manifest(*bucket, address);
}

struct Dataset::Parts {
  std::string address;
  DatasetManifest manifest;
  bool remote = false;
  std::unique_ptr<ShardSource> source = nullptr;
  std::vector<uint64_t> first_token = {};  // Of each shard, and the total.

  // tokens[i] = token first + i of all shards in a row.
  Result<void> read(uint64_t first, std::span<uint32_t> tokens) const {
    common::Bytes bytes;
    while (!tokens.empty()) {
      const auto after = std::upper_bound(first_token.begin(), first_token.end(), first);
      const auto shard = static_cast<size_t>(after - first_token.begin()) - 1;
      const uint64_t within = first - first_token[shard];
      const auto count = static_cast<size_t>(
          std::min<uint64_t>(tokens.size(), manifest.shards[shard].token_count - within));
      bytes.resize(count * manifest.token_bytes);
      TRY_VOID(source->read(shard, within * manifest.token_bytes, bytes));
      widen(bytes, manifest.token_bytes, tokens.first(count));
      TRY_VOID(
          check_tokens(manifest, manifest.shards[shard], within, tokens.first(count), address));
      first += count;
      tokens = tokens.subspan(count);
    }
    return {};
  }

  // The next `done` is after this shard's bytes.
  Result<void> verify_shard(size_t number, const std::function<void(uint64_t)>& done) const {
    const DatasetManifest::Shard& shard = manifest.shards[number];
    auto hashes = source->raw_hashes(number);
    if (!hashes) return common::within(hashes_file(shard.file), hashes.error());
    TRY_VOID(check_hashes(manifest, shard, *hashes, address));
    std::vector<uint32_t> tokens;
    for (uint64_t index = 0; index < manifest.chunk_count(shard); ++index) {
      const common::Range range = chunk_range(manifest, shard, index);
      auto chunk = source->raw(number, range);
      if (!chunk) return common::within(shard.file, chunk.error());
      TRY_VOID(check_chunk(manifest, shard, index, hash_at(*hashes, index), *chunk, address));
      tokens.resize(range.size / manifest.token_bytes);
      widen(*chunk, manifest.token_bytes, tokens);
      TRY_VOID(check_tokens(manifest, shard, range.first / manifest.token_bytes, tokens, address));
      done(range.size);
    }
    return {};
  }
};

Dataset::Dataset(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

const DatasetManifest& Dataset::manifest() const { return parts_->manifest; }

Result<Dataset> Dataset::make(Parts parts, const Hash& expected, uint32_t sequence_length) {
  if (sequence_length == 0) return Error{Code::kInvalidArgument, "a sequence length of 0"};
  const DatasetManifest& manifest = parts.manifest;
  if (const Hash actual = manifest.hash(); actual != expected) {
    return Error{Code::kCorrupt,
                 fmt::format("the data set in {} is not the network's: its hash is {}, the hparams "
                             "say {}; fetch the network's data set, or tokenize the same text with "
                             "the same tokenizer",
                             parts.address, actual.hex(), expected.hex())};
  }
  parts.first_token = {0};
  for (const DatasetManifest::Shard& shard : manifest.shards) {
    parts.first_token.push_back(parts.first_token.back() + shard.token_count);
  }
  const uint64_t tokens = parts.first_token.back();
  if (tokens <= sequence_length) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} holds {} tokens: too short for one sample of {} and the one that "
                             "follows",
                             parts.address, tokens, sequence_length)};
  }
  Dataset dataset(std::make_unique<Parts>(std::move(parts)));
  dataset.sequence_length_ = sequence_length;
  dataset.sample_count_ = (tokens - 1) / sequence_length;
  dataset.remote_ = dataset.parts_->remote;
  return dataset;
}

Result<Dataset> Dataset::open(const std::string& address, const Hash& expected,
                              uint32_t sequence_length, const DatasetCache& cache) {
  if (is_bucket_address(address)) {
    TRY(auto bucket, common::open_store(address, /*writable=*/false));
    return open(std::move(bucket), address, expected, sequence_length, cache);
  }
  TRY(DatasetManifest manifest, read_manifest(address));
  Parts parts{.address = address, .manifest = std::move(manifest)};
  TRY(Dataset dataset, make(std::move(parts), expected, sequence_length));
  TRY(dataset.parts_->source, map_shards(address, dataset.manifest()));
  return dataset;
}

Result<Dataset> Dataset::open(std::unique_ptr<common::ObjectStore> bucket,
                              const std::string& address, const Hash& expected,
                              uint32_t sequence_length, const DatasetCache& cache) {
  TRY(DatasetManifest manifest, fetch_manifest(*bucket, address));
  Parts parts{.address = address, .manifest = std::move(manifest), .remote = true};
  TRY(Dataset dataset, make(std::move(parts), expected, sequence_length));
  ChunkCache chunks;
  if (!cache.folder.empty()) {
    TRY(chunks, ChunkCache::open(cache.folder, cache.size_bytes_max));
  }
  dataset.parts_->source =
      remote_shards(std::move(bucket), address, dataset.manifest(), std::move(chunks));
  return dataset;
}

Result<std::vector<uint32_t>> Dataset::sample(uint64_t sample) const {
  CHECK(sample < sample_count_);
  std::vector<uint32_t> tokens(size_t{sequence_length_} + 1);
  TRY_VOID(parts_->read(sample * sequence_length_, tokens));
  return tokens;
}

Result<void> Dataset::verify(const std::function<void(uint64_t, uint64_t)>& progress) const {
  const uint64_t total = manifest().token_count() * manifest().token_bytes;
  uint64_t bytes_done = 0;
  for (size_t shard = 0; shard < manifest().shards.size(); ++shard) {
    TRY_VOID(parts_->verify_shard(shard, [&](uint64_t bytes) {
      bytes_done += bytes;
      if (progress) progress(bytes_done, total);
    }));
  }
  return {};
}

}  // namespace train
