#include "train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/check.h"
#include "common/strict_json.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;

constexpr uint64_t kManifestSizeMax = 16 << 20;
constexpr size_t kShardsMax = 65'536;
constexpr uint64_t kShardTokensMax = 1 << 28;
constexpr uint32_t kVocabularyMax = 1 << 24;
constexpr uint32_t kBytesVocabulary = 257;  // 256 bytes and the end of a document.
constexpr size_t kFileNameSizeMax = 100;

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
  read_hash(object, "hash", shard.hash);
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
  if (manifest.version != 1) object.fail("version", "this program reads version 1");
  if (!bytes && manifest.tokenizer != "sentencepiece") {
    object.fail("tokenizer", "\"sentencepiece\" or \"bytes\" is expected");
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
  if (manifest.end_of_document >= manifest.vocabulary) {
    object.fail("end_of_document", "it is not below the vocabulary");
  }
}

std::string shard_path(const fs::path& folder, const DatasetManifest::Shard& shard) {
  return (folder / shard.file).string();
}

uint32_t token_at(common::ByteView bytes, uint32_t token_bytes, uint64_t index) {
  if (token_bytes == 2) {
    uint16_t token;
    std::memcpy(&token, bytes.data() + index * sizeof token, sizeof token);
    return token;
  }
  uint32_t token;
  std::memcpy(&token, bytes.data() + index * sizeof token, sizeof token);
  return token;
}

// Reads the whole shard: it hashes to what the manifest says, and its tokens are of the vocabulary.
Result<void> verify_shard(const fs::path& folder, const DatasetManifest& manifest,
                          const DatasetManifest::Shard& shard, common::ByteView bytes) {
  const Hash actual = common::blake2b_256(bytes);
  if (actual != shard.hash) {
    return Error{Code::kCorrupt,
                 fmt::format("{} is damaged: its hash is {}, the manifest says {}; make the data "
                             "set anew or fetch it again",
                             shard_path(folder, shard), actual.hex(), shard.hash.hex())};
  }
  for (uint64_t i = 0; i < shard.token_count; ++i) {
    const uint32_t token = token_at(bytes, manifest.token_bytes, i);
    if (token < manifest.vocabulary) continue;
    return Error{Code::kCorrupt,
                 fmt::format("{}: token {} at position {} is not below the "
                             "vocabulary of {}",
                             shard_path(folder, shard), token, i, manifest.vocabulary)};
  }
  return {};
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
  if (json.size() > kManifestSizeMax) {
    return Error{Code::kInvalidArgument,
                 fmt::format("a manifest of over {} bytes", kManifestSizeMax)};
  }
  TRY(nlohmann::json fields, common::parse_json_object(json));
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
        {{"file", shard.file}, {"hash", shard.hash.hex()}, {"token_count", shard.token_count}});
  }
  // nlohmann's objects are sorted by key, and dump() without an indent writes no spaces.
  const nlohmann::json object = {
      {"version", version},
      {"tokenizer", tokenizer},
      {"tokenizer_hash", tokenizer_hash.hex()},
      {"vocabulary", vocabulary},
      {"token_bytes", token_bytes},
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
  auto text = common::read_file(file, kManifestSizeMax);
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

Result<Dataset> Dataset::open(const fs::path& folder, const Hash& expected,
                              uint32_t sequence_length, bool verify) {
  if (sequence_length == 0) return Error{Code::kInvalidArgument, "a sequence length of 0"};
  Dataset dataset;
  TRY(dataset.manifest_, read_manifest(folder));
  const DatasetManifest& manifest = dataset.manifest_;
  if (const Hash actual = manifest.hash(); actual != expected) {
    return Error{Code::kCorrupt,
                 fmt::format("the data set in {} is not the network's: its hash is {}, the hparams "
                             "say {}; fetch the network's data set, or tokenize the same text with "
                             "the same tokenizer",
                             folder.string(), actual.hex(), expected.hex())};
  }
  dataset.sequence_length_ = sequence_length;
  for (const DatasetManifest::Shard& shard : manifest.shards) {
    TRY(common::MappedFile file, common::MappedFile::open(folder / shard.file));
    if (file.bytes().size() != shard.token_count * manifest.token_bytes) {
      return Error{
          Code::kInvalidArgument,
          fmt::format("{} has {} bytes; by the manifest it has {}", shard_path(folder, shard),
                      file.bytes().size(), shard.token_count * manifest.token_bytes)};
    }
    if (verify) TRY_VOID(verify_shard(folder, manifest, shard, file.bytes()));
    const uint64_t first = dataset.first_token_.empty() ? 0 : dataset.first_token_.back();
    if (dataset.first_token_.empty()) dataset.first_token_.push_back(0);
    dataset.first_token_.push_back(first + shard.token_count);
    dataset.shards_.push_back(std::move(file));
  }
  const uint64_t tokens = manifest.token_count();
  if (tokens <= sequence_length) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} holds {} tokens: too short for one sample of {} and the one that "
                             "follows",
                             folder.string(), tokens, sequence_length)};
  }
  dataset.sample_count_ = (tokens - 1) / sequence_length;
  return dataset;
}

std::vector<uint32_t> Dataset::sample(uint64_t sample) const {
  CHECK(sample < sample_count_);
  std::vector<uint32_t> tokens(size_t{sequence_length_} + 1);
  const uint64_t first = sample * sequence_length_;
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = token(first + i);
  return tokens;
}

uint32_t Dataset::token(uint64_t index) const {
  const auto after = std::upper_bound(first_token_.begin(), first_token_.end(), index);
  const auto shard = static_cast<size_t>(after - first_token_.begin()) - 1;
  const uint32_t token =
      token_at(shards_[shard].bytes(), manifest_.token_bytes, index - first_token_[shard]);
  // It would index an embedding: better no replica than one that read past its end.
  CHECK_MSG(token < manifest_.vocabulary,
            "a token out of range: the data set is damaged; see `muster data inspect --verify`");
  return token;
}

}  // namespace train
