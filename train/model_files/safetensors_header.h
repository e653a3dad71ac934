// The header of a safetensors file: which tensors, and where they lie.
//
// Source: github.com/huggingface/safetensors, README (the format).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/result.h"
#include "train/safetensors.h"

namespace train {

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  // As they lie in the file.
  uint64_t body = 0;                  // Where the file's tensors begin.
};

// kCorrupt, naming the tensor: not JSON, a key twice or unknown, a header over `header_max`, a type
// that is none of ours, a shape and a place that do not agree, gaps, overlaps, bytes left over.
// What the file claims is checked against its size before memory is asked for.
common::Result<SafetensorsHeader> parse_safetensors_header(common::ByteView file,
                                                           uint64_t header_max);

// The length and the JSON text, padded to 8 bytes so that the tensors are aligned. One text for one
// list.
common::Bytes safetensors_header(const std::vector<StoredTensor>& tensors);

// "safetensors: <what>", as kCorrupt.
common::Error bad_safetensors(const std::string& what);

}  // namespace train
