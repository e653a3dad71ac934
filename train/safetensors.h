// Hugging Face's safetensors: 8 bytes of length, a JSON header, the tensors.
//
// Two uses. A network's checkpoint is fp32 and canonical, whole in memory. Other people's files may
// be fp16 or bf16 and larger than half of our memory: they are mapped, and read and written tensor
// by tensor.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/file_writer.h"
#include "common/files.h"
#include "common/result.h"
#include "compress/layout.h"
#include "train/dtype.h"

namespace train {

// theta (N) in the layout's order; names and shapes are the layout's. Canonical.
common::Bytes to_safetensors(std::span<const float> theta, const compress::Layout& layout);

// kCorrupt, naming the tensor, unless it holds exactly the layout's tensors, as F32, without gaps
// or overlaps, and every value is finite. Tensors may come in any order.
common::Result<std::vector<float>> from_safetensors(common::ByteView bytes,
                                                    const compress::Layout& layout);

struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<uint64_t> shape;  // No dimension is 0; none at all is one value.
  uint64_t begin = 0;           // Of its bytes, counted from the first tensor's.

  uint64_t size() const;
  uint64_t size_bytes() const { return size() * train::size_bytes(dtype); }
};

// The layout's tensor as a file has it: vectors have one dimension.
StoredTensor stored_as(const compress::Tensor& tensor, Dtype dtype);

// A file opened for reading. It is mapped: what it takes of memory the kernel takes back when it
// needs it. Nobody may shorten the file meanwhile.
class SafetensorsFile {
 public:
  // kCorrupt, naming the file and the tensor, for one that breaks the format's rules; headers up to
  // 16 MiB are read.
  static common::Result<SafetensorsFile> open(const std::filesystem::path& file);

  // As they lie in the file.
  std::span<const StoredTensor> tensors() const { return tensors_; }
  const std::filesystem::path& path() const { return path_; }
  // As fp32. kCorrupt, naming the tensor, if a value is NaN or an infinity.
  // Pre: tensor is one of tensors(); values.size() == tensor.size().
  common::Result<void> read(const StoredTensor& tensor, std::span<float> values) const;

 private:
  explicit SafetensorsFile(common::MappedFile mapped) : mapped_(std::move(mapped)) {}

  std::filesystem::path path_;
  common::MappedFile mapped_;
  common::ByteView body_;
  std::vector<StoredTensor> tensors_;
};

// A file that is written tensor by tensor, and appears whole when the last one is.
class SafetensorsWriter {
 public:
  // Lays `tensors` one after the other, in this order.
  static common::Result<SafetensorsWriter> create(const std::filesystem::path& file,
                                                  std::vector<StoredTensor> tensors);

  // The next tensor's values. kInvalidArgument, naming the tensor, if one is too large for its
  // type.  Pre: there is a next one, of this size.
  common::Result<void> append(std::span<const float> values);
  // Pre: all were appended.
  common::Result<void> commit();

 private:
  SafetensorsWriter(common::FileWriter file, std::vector<StoredTensor> tensors)
      : file_(std::move(file)), tensors_(std::move(tensors)) {}

  common::FileWriter file_;
  std::vector<StoredTensor> tensors_;
  size_t next_ = 0;
};

}  // namespace train
