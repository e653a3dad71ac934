// Numbers in a file, read and written by ranges, by several threads at once.
#pragma once

#include <filesystem>
#include <span>

#include "common/result.h"

namespace bench {

class RangeFile {
 public:
  // `count` numbers, all zero; what the file held before is gone. Not durable: a scratch file.
  static common::Result<RangeFile> create(const std::filesystem::path& file, uint64_t count);
  RangeFile(RangeFile&& other) noexcept;
  RangeFile& operator=(RangeFile&&) = delete;
  ~RangeFile();

  common::Result<void> read(uint64_t first, std::span<float> values) const;
  common::Result<void> write(uint64_t first, std::span<const float> values) const;

 private:
  explicit RangeFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace bench
