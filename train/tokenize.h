// Makes a data set: text files in, token shards and their manifest out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/result.h"
#include "train/dataset.h"

namespace train {

struct TokenizeOptions {
  std::vector<std::filesystem::path> texts;  // Files and folders; see train/text_reader.h.
  std::filesystem::path out;                 // Made if missing.
  // "sentencepiece" (trained on the text), "bytes", or the path of a .model, such as the training
  // set's for a held-out set: losses are comparable only between texts of one tokenizer.
  std::string tokenizer = "sentencepiece";
  uint32_t vocabulary = 4096;       // Of a tokenizer that is trained.
  uint64_t shard_tokens = 1 << 24;  // Of every shard but the last; 1 .. 2^28.
  uint64_t sample_per_piece =
      256;               // Bytes of text, about, to train a tokenizer on, for each piece.
  uint32_t threads = 2;  // The result is the same for any number.
  // Called now and then: bytes of text done, of all.
  std::function<void(uint64_t, uint64_t)> progress;
};

struct Tokenized {
  DatasetManifest manifest;
  uint64_t file_count = 0;
  uint64_t replaced_count = 0;  // Stretches of the text that were no UTF-8.
  uint64_t resumed_bytes = 0;   // Of the text that an earlier, unfinished run had done.
};

// Writes <out>/tokens-00000.bin and tokens-00000.bin.hashes ..., <out>/tokenizer.model (unless
// bytes) and last, when all is on the disk, <out>/manifest.json. The same text and options give the
// same bytes. After every document stands its end.
//
// A run that was killed goes on when it is called again with the same texts and options: at the
// last shard that was full, and with the same result as one run. The texts may not change in
// between (sizes and times are compared). <out>/progress.json keeps it and is gone at the end.
//
// A tokenizer is trained on every n-th line of the text, n such that about `sample_per_piece` bytes
// for each piece are. With 256 of them, 4,096 pieces are learnt in 2 s; on the English of
// deploy/prepare-text four times as much saves half a percent of the tokens. Memory: some tens of
// MiB and what the tokenizer needs, however much text there is and however large the shards are.
//
// kAlreadyExists if `out` holds a manifest or another process writes there; kConflict if it holds
// an unfinished set of another text or other options; kNotFound, kInvalidArgument for texts that
// are not there, hold nothing, or too little to train a tokenizer; kExhausted for over 65,536
// shards.
common::Result<Tokenized> tokenize(const TokenizeOptions& options);

}  // namespace train
