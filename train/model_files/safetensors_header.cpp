#include "train/model_files/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/strict_json.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr size_t kNameSizeMax = 256;
constexpr size_t kDimensionsMax = 8;
constexpr const char* kMetadata = "__metadata__";

// A name as an error may show it.
std::string shown(const std::string& name) { return name.substr(0, kNameSizeMax); }

Result<Dtype> type_of(const std::string& name, const json& type) {
  const std::string word = type.is_string() ? type.get<std::string>().substr(0, 16) : "none";
  const auto dtype = dtype_of(word);
  if (dtype) return *dtype;
  return bad_safetensors(fmt::format(
      "{} is of type {}; F32, F16 and BF16 are read (of a quantised model take the original)", name,
      word));
}

// Values in a tensor of this shape; nothing for one that is no shape, or over 2^48 values.
std::optional<uint64_t> count_of(const std::vector<uint64_t>& shape) {
  constexpr uint64_t kMost = uint64_t{1} << 48;
  uint64_t count = 1;
  for (const uint64_t dimension : shape) {
    if (dimension == 0 || dimension > kMost / count) return std::nullopt;
    count *= dimension;
  }
  return count;
}

bool is_list_of_numbers(const json& list, size_t most) {
  return list.is_array() && list.size() <= most &&
         std::ranges::all_of(list, [](const json& item) { return item.is_number_unsigned(); });
}

Result<StoredTensor> tensor_of(const std::string& name, const json& entry, uint64_t body_size) {
  if (name.empty() || name.size() > kNameSizeMax) {
    return bad_safetensors("a tensor's name is empty or longer than 256 bytes");
  }
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
      !entry.contains("shape") || !entry.contains("data_offsets")) {
    return bad_safetensors(name + " has other fields than dtype, shape and data_offsets");
  }
  StoredTensor tensor;
  tensor.name = name;
  TRY(tensor.dtype, type_of(name, entry["dtype"]));
  const json& offsets = entry["data_offsets"];
  if (!is_list_of_numbers(entry["shape"], kDimensionsMax)) {
    return bad_safetensors(name + " has no shape");
  }
  if (!is_list_of_numbers(offsets, 2) || offsets.size() != 2) {
    return bad_safetensors(name + " has no place");
  }
  tensor.shape = entry["shape"].get<std::vector<uint64_t>>();
  const auto count = count_of(tensor.shape);
  tensor.begin = offsets[0].get<uint64_t>();
  const auto end = offsets[1].get<uint64_t>();
  if (tensor.begin > end || end > body_size) {
    return bad_safetensors(name + " lies outside the file");
  }
  if (!count || end - tensor.begin != *count * size_bytes(tensor.dtype)) {
    return bad_safetensors(name + " has another size than its shape");
  }
  return tensor;
}

Result<void> check_metadata(const json& metadata) {
  const bool texts = metadata.is_object() && std::ranges::all_of(metadata, [](const json& value) {
                       return value.is_string();
                     });
  if (!texts) return bad_safetensors("__metadata__ should hold texts only");
  return {};
}

// Each byte belongs to one tensor.
Result<void> check_places(const std::vector<StoredTensor>& tensors, uint64_t body_size) {
  uint64_t end = 0;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.begin < end) return bad_safetensors(shown(tensor.name) + " overlaps another tensor");
    if (tensor.begin > end) {
      return bad_safetensors("bytes that are no tensor's before " + shown(tensor.name));
    }
    end = tensor.begin + tensor.size_bytes();
  }
  if (end != body_size) return bad_safetensors("bytes that are no tensor's at the end");
  return {};
}

}  // namespace

Error bad_safetensors(const std::string& what) { return {Code::kCorrupt, "safetensors: " + what}; }

Result<SafetensorsHeader> parse_safetensors_header(ByteView file, uint64_t header_max) {
  common::ByteReader in(file);
  const auto size = in.number<uint64_t>();
  if (!in.ok() || size > in.remaining()) return bad_safetensors("cut short");
  if (size > header_max) {
    return bad_safetensors(fmt::format("a header of {} bytes; {} are read", size, header_max));
  }
  auto parsed = common::parse_json_object(common::text_of(in.raw(size)));  // No key twice.
  if (!parsed) return bad_safetensors("the header: " + parsed.error().message);
  SafetensorsHeader header;
  header.body = sizeof size + size;
  for (const auto& [name, entry] : parsed->items()) {
    if (name == kMetadata) {
      TRY_VOID(check_metadata(entry));
      continue;
    }
    TRY(StoredTensor tensor, tensor_of(name, entry, in.remaining()));
    header.tensors.push_back(std::move(tensor));
  }
  std::ranges::sort(header.tensors, {}, &StoredTensor::begin);
  TRY_VOID(check_places(header.tensors, in.remaining()));
  return header;
}

Bytes safetensors_header(const std::vector<StoredTensor>& tensors) {
  json header = {{kMetadata, {{"format", "pt"}}}};
  for (const StoredTensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {tensor.begin, tensor.begin + tensor.size_bytes()}}};
  }
  std::string text = header.dump();
  while (text.size() % 8 != 0) text += ' ';
  common::ByteWriter out;
  out.number(static_cast<uint64_t>(text.size())).raw(common::view_of(text));
  return std::move(out).bytes();
}

}  // namespace train
