// A file that is written in pieces and appears whole: for what is too large to hold in memory.
#pragma once

#include <filesystem>
#include <string>

#include "common/bytes.h"
#include "common/result.h"

namespace common {

// Writes to a temporary file beside it; `commit` syncs, renames and syncs the folder. Without a
// commit nothing is left behind, and what stood there before still stands. Move only.
class FileWriter {
 public:
  // Folders on the way are made. Errors as write_file's (common/files.h), here and below.
  static Result<FileWriter> create(const std::filesystem::path& file);
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) noexcept;
  ~FileWriter();

  Result<void> append(ByteView bytes);
  // Once; nothing is appended afterwards.
  Result<void> commit();

 private:
  FileWriter() = default;

  std::filesystem::path file_;
  std::string temporary_;  // Its name in the folder; empty when there is none any more.
  int folder_ = -1;
  int descriptor_ = -1;
};

}  // namespace common
