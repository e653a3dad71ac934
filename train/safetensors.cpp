#include "train/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/check.h"
#include "common/strict_json.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

// A tensor's entry beside its name, and the metadata: generous, but far below the format's own 100
// MiB, for JSON takes many times its size in memory.
constexpr uint64_t kEntrySizeMax = 512;
constexpr uint64_t kMetadataSizeMax = 64 << 10;

uint64_t header_size_max(const compress::Layout& layout) {
  uint64_t size = kMetadataSizeMax;
  for (const compress::Tensor& tensor : layout.tensors())
    size += kEntrySizeMax + tensor.name.size();
  return size;
}

json shape_of(const compress::Tensor& tensor) {
  return tensor.is_vector() ? json::array({tensor.cols}) : json::array({tensor.rows, tensor.cols});
}

Error corrupt(const std::string& what) { return {Code::kCorrupt, "safetensors: " + what}; }

Result<json> read_header(ByteView bytes, uint64_t size_max) {
  common::ByteReader in(bytes);
  const auto size = in.number<uint64_t>();
  if (!in.ok() || size > in.remaining()) return corrupt("cut short");
  if (size > size_max) return corrupt("the header is longer than this model's");
  auto header = common::parse_json_object(common::text_of(in.raw(size)));  // No key twice.
  if (!header) return corrupt("the header: " + header.error().message);
  return header;
}

// Where the tensor's bytes begin in `body_size` bytes, if the header says exactly what the layout
// wants.
Result<uint64_t> find_tensor(const json& header, const compress::Tensor& tensor,
                             uint64_t body_size) {
  const auto entry = header.find(tensor.name);
  if (entry == header.end()) return corrupt(tensor.name + " is missing");
  const json& offsets = entry->is_object() ? entry->value("data_offsets", json()) : json();
  if (!entry->is_object() || entry->size() != 3 || entry->value("dtype", json()) != "F32" ||
      entry->value("shape", json()) != shape_of(tensor)) {
    return corrupt(tensor.name + " has another type or shape");
  }
  const bool pair = offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                    offsets[1].is_number_unsigned();
  if (!pair) return corrupt(tensor.name + " has no place");
  const auto begin = offsets[0].get<uint64_t>();
  const auto end = offsets[1].get<uint64_t>();
  if (begin > end || end > body_size || end - begin != tensor.size() * sizeof(float)) {
    return corrupt(tensor.name + " lies outside the file");
  }
  return begin;
}

}  // namespace

Bytes to_safetensors(std::span<const float> theta, const compress::Layout& layout) {
  CHECK(theta.size() == layout.parameter_count());
  json header = {{"__metadata__", {{"format", "pt"}}}};
  for (const compress::Tensor& tensor : layout.tensors()) {
    const uint64_t begin = tensor.offset * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", shape_of(tensor)},
                           {"data_offsets", {begin, begin + tensor.size() * sizeof(float)}}};
  }
  std::string text = header.dump();
  while (text.size() % 8 != 0) text += ' ';  // So that the tensors are aligned.
  common::ByteWriter out;
  out.number(static_cast<uint64_t>(text.size())).raw(common::view_of(text));
  out.raw({reinterpret_cast<const uint8_t*>(theta.data()), theta.size_bytes()});
  return std::move(out).bytes();
}

Result<std::vector<float>> from_safetensors(ByteView bytes, const compress::Layout& layout) {
  TRY(const json header, read_header(bytes, header_size_max(layout)));
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const ByteView body = bytes.subspan(sizeof header_size + header_size);
  const uint64_t wanted = layout.parameter_count() * sizeof(float);
  if (body.size() != wanted) return corrupt("the tensors are not this model's size");
  const size_t extra = header.contains("__metadata__") ? 1 : 0;
  if (header.size() != layout.tensors().size() + extra) return corrupt("holds other tensors too");
  std::vector<float> theta(layout.parameter_count());
  std::vector<std::pair<uint64_t, uint64_t>> places;
  for (const compress::Tensor& tensor : layout.tensors()) {
    TRY(const uint64_t begin, find_tensor(header, tensor, body.size()));
    places.emplace_back(begin, begin + tensor.size() * sizeof(float));
    float* values = theta.data() + tensor.offset;
    std::memcpy(values, body.data() + begin, tensor.size() * sizeof(float));
    for (uint64_t i = 0; i < tensor.size(); ++i) {
      if (!std::isfinite(values[i])) return corrupt(tensor.name + " holds NaN or infinity");
    }
  }
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i].first != places[i - 1].second) return corrupt("tensors overlap");
  }
  return theta;
}

}  // namespace train
