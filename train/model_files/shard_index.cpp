#include "train/model_files/shard_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/strict_json.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr size_t kFilesMax = 1024;
constexpr size_t kNameSizeMax = 128;

// In this folder, and nothing hidden.
bool is_plain(std::string_view file) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return file.size() <= kNameSizeMax && file.ends_with(".safetensors") && file.front() != '.' &&
         std::ranges::all_of(file, plain);
}

}  // namespace

std::set<std::string> ShardIndex::files() const {
  std::set<std::string> files;
  for (const auto& [tensor, file] : file_of) files.insert(file);
  return files;
}

Result<ShardIndex> ShardIndex::parse(std::string_view text) {
  TRY(const json object, common::parse_json_object(text));
  const auto map = object.find("weight_map");
  if (map == object.end() || !map->is_object() || map->empty()) {
    return Error{Code::kInvalidArgument, "weight_map is missing or no object"};
  }
  ShardIndex index;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !is_plain(file.get_ref<const std::string&>())) {
      return Error{Code::kInvalidArgument,
                   fmt::format("weight_map: {} should name a .safetensors file beside the index",
                               tensor.substr(0, kNameSizeMax))};
    }
    index.file_of.emplace(tensor, file.get<std::string>());
  }
  const json metadata = object.value("metadata", json::object());
  const json total = metadata.is_object() ? metadata.value("total_size", json()) : json();
  if (total.is_number_unsigned()) index.total_bytes = total.get<uint64_t>();
  const size_t files = index.files().size();
  if (files > kFilesMax) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} files; {} at most are read", files, kFilesMax)};
  }
  return index;
}

std::string ShardIndex::text() const {
  const json object = {{"metadata", {{"total_size", total_bytes}}}, {"weight_map", file_of}};
  return object.dump(2) + "\n";
}

}  // namespace train
