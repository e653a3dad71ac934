#include "tests/bench/range_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace bench {
namespace {

common::Error trouble(const char* doing) {
  return {common::Code::kIo, std::string(doing) + " theta's file: " + std::strerror(errno)};
}

}  // namespace

common::Result<RangeFile> RangeFile::create(const std::filesystem::path& file, uint64_t count) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return trouble("making");
  RangeFile made(descriptor);
  if (ftruncate(descriptor, static_cast<off_t>(count * sizeof(float))) != 0) {
    return trouble("making");
  }
  return made;
}

RangeFile::RangeFile(RangeFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

RangeFile::~RangeFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

common::Result<void> RangeFile::read(uint64_t first, std::span<float> values) const {
  auto* to = reinterpret_cast<char*>(values.data());
  size_t left = values.size_bytes();
  for (auto at = static_cast<off_t>(first * sizeof(float)); left > 0;) {
    const ssize_t got = pread(descriptor_, to, left, at);
    if (got <= 0) return trouble("reading");
    to += got;
    at += got;
    left -= static_cast<size_t>(got);
  }
  return {};
}

common::Result<void> RangeFile::write(uint64_t first, std::span<const float> values) const {
  const auto* from = reinterpret_cast<const char*>(values.data());
  size_t left = values.size_bytes();
  for (auto at = static_cast<off_t>(first * sizeof(float)); left > 0;) {
    const ssize_t put = pwrite(descriptor_, from, left, at);
    if (put <= 0) return trouble("writing");
    from += put;
    at += put;
    left -= static_cast<size_t>(put);
  }
  return {};
}

}  // namespace bench
