#include "train/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "train/model_files/safetensors_header.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using common::Result;

// A tensor's entry beside its name, and the metadata: generous, but far below the format's own 100
// MiB, for JSON takes many times its size in memory.
constexpr uint64_t kEntrySizeMax = 512;
constexpr uint64_t kMetadataSizeMax = 64 << 10;
constexpr uint64_t kHeaderSizeMax = 16 << 20;
// Values that are turned into bytes at a time.
constexpr size_t kPieceSize = 1 << 16;

uint64_t header_size_max(const compress::Layout& layout) {
  uint64_t size = kMetadataSizeMax;
  for (const compress::Tensor& tensor : layout.tensors())
    size += kEntrySizeMax + tensor.name.size();
  return size;
}

common::Error not_finite(const std::string& name) {
  return bad_safetensors(name + " holds NaN or infinity");
}

std::vector<StoredTensor> stored(const compress::Layout& layout) {
  std::vector<StoredTensor> tensors;
  for (const compress::Tensor& tensor : layout.tensors()) {
    tensors.push_back(stored_as(tensor, Dtype::kF32));
    tensors.back().begin = tensor.offset * sizeof(float);
  }
  return tensors;
}

}  // namespace

uint64_t StoredTensor::size() const {
  uint64_t count = 1;
  for (const uint64_t dimension : shape) count *= dimension;
  return count;
}

StoredTensor stored_as(const compress::Tensor& tensor, Dtype dtype) {
  std::vector<uint64_t> shape;
  if (!tensor.is_vector()) shape.push_back(tensor.rows);
  shape.push_back(tensor.cols);
  return {tensor.name, dtype, std::move(shape), 0};
}

Bytes to_safetensors(std::span<const float> theta, const compress::Layout& layout) {
  CHECK(theta.size() == layout.parameter_count());
  common::ByteWriter out;
  out.raw(safetensors_header(stored(layout)));
  out.raw({reinterpret_cast<const uint8_t*>(theta.data()), theta.size_bytes()});
  return std::move(out).bytes();
}

Result<std::vector<float>> from_safetensors(ByteView bytes, const compress::Layout& layout) {
  TRY(const auto header, parse_safetensors_header(bytes, header_size_max(layout)));
  const ByteView body = bytes.subspan(header.body);
  if (header.tensors.size() > layout.tensors().size()) {
    return bad_safetensors("holds other tensors too");
  }
  std::vector<float> theta;
  for (const compress::Tensor& tensor : layout.tensors()) {
    const auto found = std::ranges::find(header.tensors, tensor.name, &StoredTensor::name);
    if (found == header.tensors.end()) return bad_safetensors(tensor.name + " is missing");
    const StoredTensor wanted = stored_as(tensor, Dtype::kF32);
    if (found->dtype != wanted.dtype || found->shape != wanted.shape) {
      return bad_safetensors(tensor.name + " has another type or shape");
    }
    if (theta.empty()) {
      // As many bytes as the file has; more are not asked for on its word.
      if (body.size() != layout.parameter_count() * sizeof(float)) {
        return bad_safetensors("the tensors are not this model's size");
      }
      theta.resize(layout.parameter_count());
    }
    const auto values = std::span(theta).subspan(tensor.offset, tensor.size());
    const ByteView place = body.subspan(found->begin, found->size_bytes());
    if (!decode(Dtype::kF32, place, values)) return not_finite(tensor.name);
  }
  return theta;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& file) {
  TRY(common::MappedFile mapped, common::MappedFile::open(file));
  SafetensorsFile opened(std::move(mapped));
  auto header = parse_safetensors_header(opened.mapped_.bytes(), kHeaderSizeMax);
  if (!header) return common::within(file.string(), header.error());
  opened.path_ = file;
  opened.body_ = opened.mapped_.bytes().subspan(header->body);
  opened.tensors_ = std::move(header->tensors);
  return opened;
}

Result<void> SafetensorsFile::read(const StoredTensor& tensor, std::span<float> values) const {
  CHECK(values.size() == tensor.size());
  if (decode(tensor.dtype, body_.subspan(tensor.begin, tensor.size_bytes()), values)) return {};
  return common::within(path_.string(), not_finite(tensor.name));
}

Result<SafetensorsWriter> SafetensorsWriter::create(const std::filesystem::path& file,
                                                    std::vector<StoredTensor> tensors) {
  uint64_t begin = 0;
  for (StoredTensor& tensor : tensors) {
    tensor.begin = begin;
    begin += tensor.size_bytes();
  }
  TRY(common::FileWriter writer, common::FileWriter::create(file));
  TRY_VOID(writer.append(safetensors_header(tensors)));
  return SafetensorsWriter(std::move(writer), std::move(tensors));
}

Result<void> SafetensorsWriter::append(std::span<const float> values) {
  CHECK(next_ < tensors_.size() && values.size() == tensors_[next_].size());
  const StoredTensor& tensor = tensors_[next_++];
  Bytes bytes(std::min(values.size(), kPieceSize) * size_bytes(tensor.dtype));
  while (!values.empty()) {
    const auto piece = values.first(std::min(values.size(), kPieceSize));
    const auto out = std::span(bytes).first(piece.size() * size_bytes(tensor.dtype));
    if (!encode(tensor.dtype, piece, out)) {
      return common::Error{common::Code::kInvalidArgument,
                           tensor.name + " holds a value that is too large for " +
                               std::string(name(tensor.dtype)) + "; choose bf16 or fp32"};
    }
    TRY_VOID(file_.append(out));
    values = values.subspan(piece.size());
  }
  return {};
}

Result<void> SafetensorsWriter::commit() {
  CHECK(next_ == tensors_.size());
  return file_.commit();
}

}  // namespace train
