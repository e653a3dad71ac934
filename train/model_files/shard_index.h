// model.safetensors.index.json: which tensor lies in which file of a sharded model.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/result.h"

namespace train {

inline constexpr uint64_t kShardIndexSizeMax = 16 << 20;

struct ShardIndex {
  std::map<std::string, std::string> file_of;  // By the tensor's name.
  uint64_t total_bytes = 0;                    // Of all tensors.

  std::set<std::string> files() const;

  // kInvalidArgument unless there is a weight_map of tensors to plain names of .safetensors files
  // beside it, 1,024 at most. "metadata" may hold anything.
  static common::Result<ShardIndex> parse(std::string_view json);
  std::string text() const;
};

}  // namespace train
