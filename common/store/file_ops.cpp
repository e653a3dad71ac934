#include "common/store/file_ops.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

namespace common {
namespace {

// Unlike any other of this machine: by process, then by count.
std::string temporary_name() {
  static std::atomic<uint64_t> count{0};
  return fmt::format("{}{}-{}", kTemporaryPrefix, getpid(), ++count);
}

constexpr uint64_t kPiece = 1 << 20;

Code code_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Code::kExhausted;
    case EEXIST:
      return Code::kAlreadyExists;
    case ENAMETOOLONG:
    case EISDIR:
    case EINVAL:
      return Code::kInvalidArgument;
    default:
      return Code::kIo;
  }
}

// 0, or errno.
int write_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return 0;
}

Result<void> copy_and_sync(const ByteSource& source, int file, const std::filesystem::path& shown) {
  Bytes piece(static_cast<size_t>(std::min<uint64_t>(source.size(), kPiece)));
  for (uint64_t at = 0; at < source.size(); at += piece.size()) {
    piece.resize(static_cast<size_t>(std::min<uint64_t>(source.size() - at, piece.size())));
    TRY_VOID(source.read(at, piece));
    if (const int trouble = write_all(file, piece)) return file_error("writing", shown, trouble);
  }
  if (fsync(file) != 0) return file_error("writing", shown, errno);
  return {};
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

int Descriptor::release() { return std::exchange(number_, -1); }

Error file_error(std::string_view doing, const std::filesystem::path& path, int errno_value) {
  const Code code = code_of(errno_value);
  std::string message =
      fmt::format("{} {}: {}", doing, path.string(), std::generic_category().message(errno_value));
  if (code == Code::kPermission) {
    message += "; give this user access to it (chown, chmod) or choose another path";
  }
  if (errno_value == ENOSPC || errno_value == EDQUOT) message += "; make room on that disk";
  return {code, std::move(message)};
}

Result<void> replace_file_at(const Descriptor& folder, const std::string& name, ByteView bytes,
                             mode_t mode, const std::filesystem::path& shown) {
  return replace_file_at(folder, name, MemorySource(bytes), mode, shown);
}

Result<void> replace_file_at(const Descriptor& folder, const std::string& name,
                             const ByteSource& source, mode_t mode,
                             const std::filesystem::path& shown) {
  const std::string temporary = temporary_name();
  // A leftover of this name is of a dead process that had our number: it may go.
  unlinkat(folder.number(), temporary.c_str(), 0);
  const Descriptor file(openat(folder.number(), temporary.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.open()) return file_error("writing", shown, errno);
  Result<void> written = copy_and_sync(source, file.number(), shown);
  if (written && renameat(folder.number(), temporary.c_str(), folder.number(), name.c_str()) != 0) {
    written = file_error("writing", shown, errno);
  }
  if (!written) {
    unlinkat(folder.number(), temporary.c_str(), 0);
    return written;
  }
  if (fsync(folder.number()) != 0) return file_error("syncing the folder of", shown, errno);
  return {};
}

Result<Bytes> read_part(const Descriptor& file, uint64_t first, size_t size,
                        const std::filesystem::path& shown) {
  Bytes bytes(size);
  size_t have = 0;
  while (have < size) {
    const ssize_t got =
        pread(file.number(), bytes.data() + have, size - have, static_cast<off_t>(first + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("reading", shown, errno);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

Result<Bytes> read_whole(const Descriptor& file, uint64_t size_max,
                         const std::filesystem::path& shown) {
  struct stat status {};
  if (fstat(file.number(), &status) != 0) return file_error("reading", shown, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Code::kInvalidArgument,
                 fmt::format("reading {}: it is no regular file", shown.string())};
  }
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size > size_max) {
    return Error{Code::kExhausted, fmt::format("{} has {} bytes, more than the limit of {}",
                                               shown.string(), size, size_max)};
  }
  return read_part(file, 0, static_cast<size_t>(size), shown);
}

}  // namespace common
