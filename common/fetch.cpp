#include "common/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "common/check.h"
#include "common/files.h"
#include "common/store/file_ops.h"

namespace common {
namespace {

namespace fs = std::filesystem;

// Our disk's trouble must not look like a store's answer.
Error ours(Error error) {
  if (error.code == Code::kNotFound) error.code = Code::kIo;
  return error;
}

Error disk_error(const fs::path& file, int errno_value) {
  return ours(file_error("writing", file, errno_value));
}

fs::path part_of(const fs::path& file) { return fs::path(file) += ".part"; }

Result<void> write_at(const Descriptor& file, uint64_t offset, ByteView bytes,
                      const fs::path& shown) {
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno != EINTR) return disk_error(shown, errno);
    if (written <= 0) continue;
    offset += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

// From `have` to `size`, appended to the open file.
Result<void> fetch_rest(ObjectStore& store, std::string_view key, uint64_t have, uint64_t size,
                        const Descriptor& part, const fs::path& shown,
                        const FetchOptions& options) {
  while (have < size) {
    if (!options.keep_going()) {
      return Error{Code::kCancelled,
                   fmt::format("fetching {}: stopped at {} of {} bytes", key, have, size)};
    }
    const uint64_t wanted = std::min(options.range_size, size - have);
    TRY(const Bytes bytes, store.get_range(key, {have, wanted}));
    if (bytes.empty()) {
      return Error{Code::kConflict,
                   fmt::format("object {} ends after {} bytes; {} were promised", key, have, size)};
    }
    // A store that gives more than it was asked for gives us no more than we asked for.
    const ByteView taken = ByteView(bytes).first(std::min<size_t>(bytes.size(), wanted));
    TRY_VOID(write_at(part, have, taken, shown));
    have += taken.size();
  }
  return {};
}

// Its size; nothing if it is no regular file.
std::optional<uint64_t> size_of(const fs::path& file) {
  struct stat status {};
  if (lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<uint64_t>(status.st_size);
}

Result<void> settle(const Descriptor& part, const fs::path& file) {
  if (fsync(part.number()) != 0 || rename(part_of(file).c_str(), file.c_str()) != 0) {
    return disk_error(file, errno);
  }
  const Descriptor folder(open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || fsync(folder.number()) != 0) {
    return disk_error(file, errno);
  }
  return {};
}

}  // namespace

Result<Fetched> fetch_to_file(ObjectStore& store, std::string_view key, uint64_t size,
                              const fs::path& file, const FetchOptions& options) {
  CHECK(options.range_size > 0 && file.has_filename() && file.has_parent_path());
  if (size_of(file) == size) return Fetched{.resumed = size};
  if (auto made = make_folder(file.parent_path()); !made) return ours(made.error());
  const fs::path part = part_of(file);
  // Too long a leftover is of something else.
  if (size_of(part).value_or(0) > size) unlink(part.c_str());
  const Descriptor descriptor(
      open(part.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!descriptor.open()) return disk_error(part, errno);
  struct stat status {};
  if (fstat(descriptor.number(), &status) != 0) return disk_error(part, errno);
  const auto have = static_cast<uint64_t>(status.st_size);
  TRY(const ObjectInfo info, store.head(key));
  if (info.size_bytes > size) {
    discard_fetched(file);
    return Error{Code::kConflict, fmt::format("object {} has {} bytes; {} were promised", key,
                                              info.size_bytes, size)};
  }
  const auto rest = fetch_rest(store, key, have, size, descriptor, part, options);
  if (!rest) {
    if (rest.error().code == Code::kConflict) discard_fetched(file);
    return rest.error();
  }
  TRY_VOID(settle(descriptor, file));
  return Fetched{.resumed = have};
}

void discard_fetched(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
  fs::remove(part_of(file), ignored);
}

}  // namespace common
