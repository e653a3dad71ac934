// Files that survive kill -9: whole or not at all, and on the disk before we say so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "common/bytes.h"
#include "common/result.h"

namespace common {

// Writes to a temporary file beside it, syncs, renames, syncs the folder. Folders on the way are
// made. kPermission or kIo with the path; kExhausted for a full disk, and then the old file still
// stands.
Result<void> write_file(const std::filesystem::path& file, ByteView bytes, int mode = 0644);

// kNotFound, kPermission, kIo; kExhausted if it is longer than `size_max`.
Result<Bytes> read_file(const std::filesystem::path& file, uint64_t size_max);

// Makes the folder (and those above it) and proves that files can be made in it.
Result<void> make_folder(const std::filesystem::path& folder);

// A file in memory, read-only; unmapped by the destructor. Move only.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& file);
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  ByteView bytes() const { return bytes_; }

 private:
  MappedFile() = default;
  ByteView bytes_;
};

// One process at a time: holds an exclusive lock on <folder>/lock while it lives; the kernel lets
// go when the process dies. kAlreadyExists ("in use by another process") if somebody holds it.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder);
  FolderLock(FolderLock&&) noexcept;
  FolderLock& operator=(FolderLock&&) noexcept;
  ~FolderLock();

 private:
  FolderLock() = default;
  int descriptor_ = -1;
};

}  // namespace common
