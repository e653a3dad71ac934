#include "common/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/files.h"
#include "common/store/file_ops.h"

namespace common {
namespace {

constexpr mode_t kMode = 0644;

// Unlike any other of this machine: by process, then by count.
std::string temporary_name() {
  static std::atomic<uint64_t> count{0};
  return fmt::format("{}stream-{}-{}", kTemporaryPrefix, getpid(), ++count);
}

}  // namespace

Result<FileWriter> FileWriter::create(const std::filesystem::path& file) {
  if (!file.has_filename()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("writing '{}': it names no file", file.string())};
  }
  const std::filesystem::path above = file.has_parent_path() ? file.parent_path() : ".";
  TRY_VOID(make_folder(above));
  Descriptor folder(open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open()) return file_error("opening", above, errno);
  const std::string temporary = temporary_name();
  // A leftover of this name is of a dead process that had our number: it may go.
  unlinkat(folder.number(), temporary.c_str(), 0);
  Descriptor descriptor(openat(folder.number(), temporary.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (!descriptor.open()) return file_error("writing", file, errno);
  FileWriter writer;
  writer.file_ = file;
  writer.temporary_ = temporary;
  writer.folder_ = folder.release();
  writer.descriptor_ = descriptor.release();
  return writer;
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : file_(std::move(other.file_)),
      temporary_(std::exchange(other.temporary_, {})),
      folder_(std::exchange(other.folder_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

FileWriter& FileWriter::operator=(FileWriter&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(temporary_, other.temporary_);
  std::swap(folder_, other.folder_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileWriter::~FileWriter() {
  if (!temporary_.empty()) unlinkat(folder_, temporary_.c_str(), 0);
  if (descriptor_ >= 0) close(descriptor_);
  if (folder_ >= 0) close(folder_);
}

Result<void> FileWriter::append(ByteView bytes) {
  CHECK(!temporary_.empty());
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return file_error("writing", file_, errno);
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> FileWriter::write_at(uint64_t offset, ByteView bytes) {
  CHECK(!temporary_.empty());
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno != EINTR) return file_error("writing", file_, errno);
    if (written <= 0) continue;
    offset += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> FileWriter::commit() {
  CHECK(!temporary_.empty());
  const std::string name = file_.filename().string();
  if (fsync(descriptor_) != 0 ||
      renameat(folder_, temporary_.c_str(), folder_, name.c_str()) != 0) {
    return file_error("writing", file_, errno);
  }
  temporary_.clear();
  if (fsync(folder_) != 0) return file_error("syncing the folder of", file_, errno);
  return {};
}

void remove_leftovers(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code trouble;
  fs::directory_iterator at(folder, trouble);
  for (; !trouble && at != fs::directory_iterator(); at.increment(trouble)) {
    std::error_code ignored;
    if (at->path().filename().string().starts_with(kTemporaryPrefix)) fs::remove(*at, ignored);
  }
}

}  // namespace common
