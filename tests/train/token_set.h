// A data set made by hand: its files as bytes, to be written to a folder or put into a bucket.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/hash.h"
#include "tests/train/data_folder.h"
#include "train/dataset_manifest.h"

struct TokenSet {
  train::DatasetManifest manifest;
  std::map<std::string, common::Bytes> files;  // Shards, their hashes, manifest.json.
};

// Chunks are of 4 KiB, the least that is allowed: 2,048 tokens of 2 bytes, 1,024 of 4.
template <typename Token>
TokenSet token_set(const std::vector<std::vector<Token>>& shards, uint32_t vocabulary) {
  TokenSet set;
  train::DatasetManifest& manifest = set.manifest;
  manifest.tokenizer = "sentencepiece";
  manifest.tokenizer_hash = common::blake2b_256(common::view_of("a model"));
  manifest.vocabulary = vocabulary;
  manifest.token_bytes = sizeof(Token);
  manifest.chunk_bytes = 4096;
  manifest.end_of_document = 2;
  manifest.text_bytes = 1000;
  manifest.document_count = 3;
  for (size_t i = 0; i < shards.size(); ++i) {
    common::ByteWriter bytes;
    for (const Token token : shards[i]) bytes.number(token);
    const std::string file = "tokens-" + std::to_string(i) + ".bin";
    const common::Bytes hashes = train::chunk_hashes(bytes.bytes(), manifest.chunk_bytes);
    manifest.shards.push_back({file, shards[i].size(), common::blake2b_256(hashes)});
    set.files[file] = bytes.bytes();
    set.files[train::hashes_file(file)] = hashes;
  }
  const std::string text = manifest.canonical();
  set.files["manifest.json"] = {text.begin(), text.end()};
  return set;
}

inline void write_to(const DataFolder& folder, const TokenSet& set) {
  for (const auto& [file, bytes] : set.files) folder.write(file, common::text_of(bytes));
}
