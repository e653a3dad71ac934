#include "common/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/check.h"
#include "common/store/file_ops.h"

namespace common {

Result<void> MemorySource::read(uint64_t offset, std::span<uint8_t> out) const {
  CHECK(offset <= bytes_.size() && out.size() <= bytes_.size() - offset);
  std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
  return {};
}

Result<FileSource> FileSource::open(const std::filesystem::path& file) {
  // Without O_NONBLOCK a pipe of this name would keep us waiting.
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor.open()) return file_error("reading", file, errno);
  struct stat status {};
  if (fstat(descriptor.number(), &status) != 0) return file_error("reading", file, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Code::kInvalidArgument,
                 fmt::format("reading {}: it is no regular file", file.string())};
  }
  FileSource source;
  source.file_ = file;
  source.descriptor_ = descriptor.release();
  source.size_ = static_cast<uint64_t>(status.st_size);
  return source;
}

FileSource::FileSource(FileSource&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(std::exchange(other.size_, 0)) {}

FileSource& FileSource::operator=(FileSource&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

FileSource::~FileSource() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<void> FileSource::read(uint64_t offset, std::span<uint8_t> out) const {
  CHECK(offset <= size_ && out.size() <= size_ - offset);
  while (!out.empty()) {
    const ssize_t got = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("reading", file_, errno);
    if (got == 0) {
      return Error{Code::kCorrupt,
                   fmt::format("reading {}: it was cut short to {} bytes while it was read",
                               file_.string(), offset)};
    }
    offset += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
  return {};
}

Result<Bytes> read_all(const ByteSource& source, uint64_t size_max) {
  if (source.size() > size_max) {
    return Error{Code::kExhausted,
                 fmt::format("{} bytes, more than the limit of {}", source.size(), size_max)};
  }
  Bytes bytes(source.size());
  TRY_VOID(source.read(0, bytes));
  return bytes;
}

}  // namespace common
