// Bytes that are read by ranges, wherever they are: in memory, in a file, behind a decryption. For
// what is too large to hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "common/bytes.h"
#include "common/result.h"

namespace common {

// Several threads may read one source at once.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Does not change while the source lives.
  virtual uint64_t size() const = 0;
  // Bytes offset .. offset + out.size(): all of them, or an error, and then `out` is void.
  // Pre: the range lies within the size.
  virtual Result<void> read(uint64_t offset, std::span<uint8_t> out) const = 0;
};

// Somebody else's memory, which outlives the source. Never fails.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : bytes_(bytes) {}

  uint64_t size() const override { return bytes_.size(); }
  Result<void> read(uint64_t offset, std::span<uint8_t> out) const override;

 private:
  ByteView bytes_;
};

// A regular file, read with pread; nothing of it stays in memory. A file that became shorter since
// it was opened is kCorrupt, when the part that is gone is read. Move only.
class FileSource final : public ByteSource {
 public:
  // kNotFound, kPermission, kIo; kInvalidArgument for what is no regular file.
  static Result<FileSource> open(const std::filesystem::path& file);
  FileSource(FileSource&& other) noexcept;
  FileSource& operator=(FileSource&& other) noexcept;
  ~FileSource() override;

  uint64_t size() const override { return size_; }
  Result<void> read(uint64_t offset, std::span<uint8_t> out) const override;

 private:
  FileSource() = default;

  std::filesystem::path file_;  // For messages.
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// All of it. kExhausted, before memory is asked for, if it is longer than `size_max`.
Result<Bytes> read_all(const ByteSource& source, uint64_t size_max);

}  // namespace common
