#include "train/dataset_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/files.h"
#include "common/strict_json.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;

constexpr uint32_t kVocabularyMax = 1 << 24;
constexpr uint32_t kBytesVocabulary = 257;  // 256 bytes and the end of a document.
constexpr size_t kFileNameSizeMax = 100;
constexpr uint32_t kChunkBytesMin = 4 << 10;
constexpr uint32_t kChunkBytesMax = 16 << 20;

// A name beside the manifest that cannot lead out of its folder.
bool plain_file_name(std::string_view name) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= kFileNameSizeMax && name.front() != '.' &&
         name.find_first_not_of(allowed) == std::string_view::npos;
}

void read_hash(common::StrictObject& object, const char* key, Hash& out) {
  std::string text;
  object.read(key, text);
  const auto hash = Hash::from_hex(text);
  if (hash && hash->hex() == text) {
    out = *hash;
  } else {
    object.fail(key, "64 lower-case hex digits are expected");
  }
}

Result<DatasetManifest::Shard> parse_shard(const nlohmann::json& json, size_t index) {
  const std::string path = fmt::format("shards[{}]", index);
  if (!json.is_object()) {
    return Error{Code::kInvalidArgument, fmt::format("{}: an object is expected", path)};
  }
  DatasetManifest::Shard shard;
  common::StrictObject object(json, path);
  object.read("file", shard.file);
  object.read("token_count", shard.token_count);
  read_hash(object, "hashes", shard.hashes);
  if (!plain_file_name(shard.file)) object.fail("file", "a plain file name is expected");
  if (shard.token_count == 0 || shard.token_count > kShardTokensMax) {
    object.fail("token_count", fmt::format("1 to {} are allowed", kShardTokensMax));
  }
  TRY_VOID(object.finish());
  return shard;
}

Result<std::vector<DatasetManifest::Shard>> parse_shards(const nlohmann::json& json) {
  if (!json.is_array() || json.size() > kShardsMax) {
    return Error{Code::kInvalidArgument,
                 fmt::format("shards: an array of at most {} is expected", kShardsMax)};
  }
  std::vector<DatasetManifest::Shard> shards;
  std::set<std::string_view> files;
  for (size_t i = 0; i < json.size(); ++i) {
    TRY(DatasetManifest::Shard shard, parse_shard(json[i], i));
    shards.push_back(std::move(shard));
  }
  for (const auto& shard : shards) {
    if (!files.insert(shard.file).second) {
      return Error{Code::kInvalidArgument, fmt::format("shards: {} stands twice", shard.file)};
    }
  }
  return shards;
}

// What must hold between the fields; the first that does not becomes the object's trouble.
void check_fields(const DatasetManifest& manifest, common::StrictObject& object) {
  const bool bytes = manifest.tokenizer == "bytes";
  if (!bytes && manifest.tokenizer != "sentencepiece" && manifest.tokenizer != "huggingface") {
    object.fail("tokenizer", "\"sentencepiece\", \"huggingface\" or \"bytes\" is expected");
  }
  if (bytes && manifest.tokenizer_hash != Hash{}) {
    object.fail("tokenizer_hash", "bytes have no model: zero is expected");
  }
  if (manifest.vocabulary == 0 || manifest.vocabulary > kVocabularyMax) {
    object.fail("vocabulary", fmt::format("1 to {} are allowed", kVocabularyMax));
  } else if (bytes && manifest.vocabulary != kBytesVocabulary) {
    object.fail("vocabulary", fmt::format("bytes have {}", kBytesVocabulary));
  }
  if (manifest.token_bytes != DatasetManifest::token_bytes_for(manifest.vocabulary)) {
    object.fail("token_bytes", "2 is expected for a vocabulary of at most 65536, or else 4");
  }
  if (!std::has_single_bit(manifest.chunk_bytes) || manifest.chunk_bytes < kChunkBytesMin ||
      manifest.chunk_bytes > kChunkBytesMax) {
    object.fail("chunk_bytes", fmt::format("a power of two from {} to {} is expected",
                                           kChunkBytesMin, kChunkBytesMax));
  }
  if (manifest.end_of_document >= manifest.vocabulary) {
    object.fail("end_of_document", "it is not below the vocabulary");
  }
}

// Before everything else: another version has other keys, and its sentence is the one that helps.
Result<void> check_version(const nlohmann::json& fields) {
  const auto version = fields.find("version");
  if (version == fields.end() || !version->is_number_unsigned()) {
    return Error{Code::kInvalidArgument, "missing key 'version': this is no data set's manifest"};
  }
  if (*version == DatasetManifest::kVersion) return {};
  return Error{Code::kInvalidArgument,
               fmt::format("a data set of version {}; this program reads version {}, which can be "
                           "checked piece by piece: make it anew with `muster data tokenize`, or "
                           "fetch the network's",
                           version->dump(), DatasetManifest::kVersion)};
}

}  // namespace

uint32_t DatasetManifest::token_bytes_for(uint32_t vocabulary) {
  return vocabulary <= 65'536 ? 2 : 4;
}

uint64_t DatasetManifest::token_count() const {
  uint64_t total = 0;
  for (const Shard& shard : shards) total += shard.token_count;  // Bounded: 2^16 times 2^28.
  return total;
}

Result<DatasetManifest> DatasetManifest::parse(std::string_view json) {
  if (json.size() > kDatasetManifestSizeMax) {
    return Error{Code::kInvalidArgument,
                 fmt::format("a manifest of over {} bytes", kDatasetManifestSizeMax)};
  }
  TRY(nlohmann::json fields, common::parse_json_object(json));
  TRY_VOID(check_version(fields));
  if (!fields.contains("shards")) return Error{Code::kInvalidArgument, "missing key 'shards'"};
  const nlohmann::json shards = std::move(fields["shards"]);
  fields.erase("shards");  // The rest is plain fields, which StrictObject reads.

  DatasetManifest manifest;
  common::StrictObject object(fields, "manifest");
  object.read("version", manifest.version);
  object.read("tokenizer", manifest.tokenizer);
  read_hash(object, "tokenizer_hash", manifest.tokenizer_hash);
  object.read("vocabulary", manifest.vocabulary);
  object.read("token_bytes", manifest.token_bytes);
  object.read("chunk_bytes", manifest.chunk_bytes);
  object.read("end_of_document", manifest.end_of_document);
  object.read("text_bytes", manifest.text_bytes);
  object.read("document_count", manifest.document_count);
  check_fields(manifest, object);
  TRY_VOID(object.finish());
  TRY(manifest.shards, parse_shards(shards));
  return manifest;
}

std::string DatasetManifest::canonical() const {
  nlohmann::json list = nlohmann::json::array();
  for (const Shard& shard : shards) {
    list.push_back(
        {{"file", shard.file}, {"hashes", shard.hashes.hex()}, {"token_count", shard.token_count}});
  }
  // nlohmann's objects are sorted by key, and dump() without an indent writes no spaces.
  const nlohmann::json object = {
      {"version", version},
      {"tokenizer", tokenizer},
      {"tokenizer_hash", tokenizer_hash.hex()},
      {"vocabulary", vocabulary},
      {"token_bytes", token_bytes},
      {"chunk_bytes", chunk_bytes},
      {"end_of_document", end_of_document},
      {"text_bytes", text_bytes},
      {"document_count", document_count},
      {"shards", std::move(list)},
  };
  return object.dump();
}

Hash DatasetManifest::hash() const { return common::blake2b_256(common::view_of(canonical())); }

Result<DatasetManifest> read_manifest(const fs::path& folder) {
  const fs::path file = folder / "manifest.json";
  auto text = common::read_file(file, kDatasetManifestSizeMax);
  if (!text && text.error().code == Code::kNotFound) {
    return Error{Code::kNotFound,
                 fmt::format("no data set in {}: it holds no manifest.json; `muster data tokenize` "
                             "makes one",
                             folder.string())};
  }
  TRY(const common::Bytes bytes, std::move(text));
  auto manifest = DatasetManifest::parse(common::text_of(bytes));
  if (!manifest) return common::within(file.string(), manifest.error());
  return manifest;
}

common::Bytes chunk_hashes(common::ByteView shard, uint32_t chunk_bytes) {
  common::Bytes hashes;
  while (!shard.empty()) {
    const common::ByteView chunk = shard.first(std::min<size_t>(chunk_bytes, shard.size()));
    const Hash hash = common::blake2b_256(chunk);
    hashes.insert(hashes.end(), hash.bytes.begin(), hash.bytes.end());
    shard = shard.subspan(chunk.size());
  }
  return hashes;
}

std::string hashes_file(std::string_view shard_file) { return std::string(shard_file) + ".hashes"; }

}  // namespace train
