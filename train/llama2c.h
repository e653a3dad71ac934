// Models and tokenizers in the format of llama2.c, version 0: what its training script wrote and
// its run.c reads.
//
// Source: github.com/karpathy/llama2.c (MIT), export.py, tokenizer.py and run.c: the layout of the
// two files.
#pragma once

#include <vector>

#include "common/bytes.h"
#include "common/result.h"
#include "train/hf_config.h"

namespace train {

struct Llama2cModel {
  HfConfig config;           // Texts begin with token 1 and end with 2.
  std::vector<float> theta;  // (N)
};

// Seven int32 (dim, hidden, layers, heads, kv heads, vocabulary, positions; a negative vocabulary
// says that the head is not tied), fp32 tensors kind by kind, and the cosines and sines of RoPE
// with theta 10,000, which are checked. Its RoPE turns the pairs (2i, 2i + 1): rows of queries and
// keys change places, so that ours, (i, i + half), turn the same values.
// kInvalidArgument with what is wrong: another version, sizes that contradict each other, a file of
// another length, NaN or an infinity, other angles.
common::Result<Llama2cModel> from_llama2c(common::ByteView file);

// tokenizer.bin (longest piece, then score, length and bytes of each) as a SentencePiece .model:
// byte-pair encoding with byte fallback, a space put before a text. kInvalidArgument unless pieces
// 0, 1, 2 are unknown, begin and end, and the 256 bytes follow.
common::Result<common::Bytes> sentencepiece_of_llama2c(common::ByteView file);

}  // namespace train
