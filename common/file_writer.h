// A file that is written in pieces and appears whole: for what is too large to hold in memory.
#pragma once

#include <filesystem>
#include <string>

#include "common/byte_sink.h"
#include "common/bytes.h"
#include "common/result.h"

namespace common {

// Writes to a temporary file beside it; `commit` syncs, renames and syncs the folder. Without a
// commit nothing is left behind, and what stood there before still stands. Move only.
class FileWriter final : public ByteSink {
 public:
  // Folders on the way are made. Errors as write_file's (common/files.h), here and below.
  static Result<FileWriter> create(const std::filesystem::path& file);
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) noexcept;
  ~FileWriter() override;

  Result<void> append(ByteView bytes) override;
  // The same for whoever knows where his bytes go; several threads may write side by side. Who
  // uses it does not append.
  Result<void> write_at(uint64_t offset, ByteView bytes);
  // Once; nothing is appended afterwards.
  Result<void> commit();

 private:
  FileWriter() = default;

  std::filesystem::path file_;
  std::string temporary_;  // Its name in the folder; empty when there is none any more.
  int folder_ = -1;
  int descriptor_ = -1;
};

// Removes what the writers of killed processes left in a folder that is ours alone; what cannot be
// removed does no harm. Pre: no writer is open there.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace common
