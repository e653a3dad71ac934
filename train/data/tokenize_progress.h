// How far an unfinished tokenisation came: <out>/progress.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "common/hash.h"
#include "common/result.h"
#include "train/dataset_manifest.h"
#include "train/text_reader.h"

namespace train {

// Written atomically after each shard; what is not in it is made again, the same.
struct TokenizeProgress {
  common::Hash inputs;  // Of all that decides the result: options, files, sizes, times.
  DatasetManifest
      manifest;        // Of the shards that are on the disk; its counts are of the text before
  TextPosition piece;  //   this piece,
  uint64_t piece_tokens = 0;    // whose first so many tokens are in them already.
  uint64_t replaced_count = 0;  // Before the piece.
};

// Nothing if there is none. kCorrupt if it cannot be read, with what to do.
common::Result<std::optional<TokenizeProgress>> load_progress(const std::filesystem::path& out);
common::Result<void> save_progress(const std::filesystem::path& out,
                                   const TokenizeProgress& progress);
// When the manifest stands, or when there is nothing to go on with.
void remove_progress(const std::filesystem::path& out);

}  // namespace train
