#include "common/store/file_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "common/files.h"
#include "common/store/file_ops.h"

namespace common {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds kLeftoverAge = std::chrono::hours(1);

// "w/7/claim" -> "w/7", "claim".
std::pair<std::string_view, std::string> split_key(std::string_view key) {
  const size_t slash = key.rfind('/');
  if (slash == std::string_view::npos) return {{}, std::string(key)};
  return {key.substr(0, slash), std::string(key.substr(slash + 1))};
}

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : std::string(folder) + "/" + std::string(name);
}

Instant instant_of(const timespec& time) {
  return {static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000};
}

Error missing_object(std::string_view key) {
  return {Code::kNotFound, fmt::format("no object {}", key)};
}

struct Entry {
  std::string name;
  struct stat status;
};

// What lies in a folder, links unfollowed; what vanishes while we look is left out.
Result<std::vector<Entry>> entries_of(const Descriptor& folder, const fs::path& shown) {
  Descriptor again(openat(folder.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again.open()) return file_error("listing", shown, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(again.number()), closedir);
  if (stream == nullptr) return file_error("listing", shown, errno);
  again.release();  // The stream closes it.
  std::vector<Entry> entries;
  errno = 0;
  while (const dirent* const found = readdir(stream.get())) {
    Entry entry{found->d_name, {}};
    if (fstatat(dirfd(stream.get()), found->d_name, &entry.status, AT_SYMLINK_NOFOLLOW) == 0) {
      entries.push_back(std::move(entry));
    }
    errno = 0;
  }
  if (errno != 0) return file_error("listing", shown, errno);
  return entries;
}

// Opens one step down. Only what is really there, and really a folder.
Descriptor step_into(const Descriptor& folder, const std::string& name) {
  return Descriptor(
      openat(folder.number(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// A link, or something else than what we look for, is as good as nothing.
bool is_absence(int errno_value) {
  return errno_value == ENOENT || errno_value == ENOTDIR || errno_value == ELOOP ||
         errno_value == ENXIO || errno_value == ENAMETOOLONG;
}

}  // namespace

FileStore::FileStore(fs::path root, bool writable) : root_(std::move(root)), writable_(writable) {}

Result<void> FileStore::put(std::string_view key, ByteView bytes) {
  return put_from(key, MemorySource(bytes));
}

Result<void> FileStore::put_from(std::string_view key, const ByteSource& source) {
  TRY_VOID(checked_writable(key));
  // `remove` takes emptied folders away, perhaps between our making one and our writing in it.
  static constexpr int kAttempts = 3;
  Result<void> outcome;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    outcome = put_once(key, source);
    if (outcome || outcome.error().code != Code::kNotFound) break;
  }
  return outcome;
}

Result<void> FileStore::put_once(std::string_view key, const ByteSource& source) {
  const auto [path, name] = split_key(key);
  TRY(const Descriptor folder, open_folder(path, Missing::kMake));
  return replace_file_at(folder, name, source, 0644, root_ / key);
}

Result<Bytes> FileStore::get(std::string_view key, uint64_t size_max) {
  TRY(const Descriptor file, open_object(key));
  return read_whole(file, size_max, root_ / key);
}

Result<Bytes> FileStore::get_range(std::string_view key, Range range) {
  TRY(const Descriptor file, open_object(key));
  struct stat status {};
  if (fstat(file.number(), &status) != 0) return file_error("reading", root_ / key, errno);
  const auto end = static_cast<uint64_t>(status.st_size);
  if (range.first >= end) return Bytes{};
  const uint64_t size = std::min(range.size, end - range.first);
  return read_part(file, range.first, static_cast<size_t>(size), root_ / key);
}

Result<ObjectInfo> FileStore::head(std::string_view key) {
  TRY(const Descriptor file, open_object(key));
  struct stat status {};
  if (fstat(file.number(), &status) != 0) return file_error("reading", root_ / key, errno);
  return ObjectInfo{std::string(key), static_cast<uint64_t>(status.st_size),
                    instant_of(status.st_ctim)};
}

Result<std::vector<ObjectInfo>> FileStore::list(std::string_view prefix, size_t count_max) {
  const std::string_view top = split_key(prefix).first;
  if (!top.empty() && !valid_key(top)) {
    return Error{Code::kInvalidArgument, fmt::format("'{}' begins no object key", prefix)};
  }
  std::vector<ObjectInfo> found;
  std::vector<std::string> folders = {std::string(top)};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    auto descriptor = open_folder(folder, Missing::kFail);
    if (!descriptor && descriptor.error().code == Code::kNotFound) continue;
    TRY(const Descriptor opened, std::move(descriptor));
    TRY(const auto entries, entries_of(opened, root_ / folder));
    for (const Entry& entry : entries) {
      std::string key = joined(folder, entry.name);
      if (!valid_key(key)) continue;
      if (S_ISDIR(entry.status.st_mode)) {
        const std::string inside = key + "/";
        if (inside.starts_with(prefix) || prefix.starts_with(inside)) folders.push_back(key);
      } else if (S_ISREG(entry.status.st_mode) && key.starts_with(prefix)) {
        if (found.size() == count_max) {
          return Error{Code::kExhausted,
                       fmt::format("more than {} objects begin with '{}'", count_max, prefix)};
        }
        found.push_back({std::move(key), static_cast<uint64_t>(entry.status.st_size),
                         instant_of(entry.status.st_ctim)});
      }
    }
  }
  std::sort(found.begin(), found.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  return found;
}

Result<void> FileStore::remove(std::string_view key) {
  TRY_VOID(checked_writable(key));
  auto [path, name] = split_key(key);
  auto opened = open_folder(path, Missing::kFail);
  if (!opened && opened.error().code == Code::kNotFound) return {};
  TRY(Descriptor folder, std::move(opened));
  if (unlinkat(folder.number(), name.c_str(), 0) != 0 && errno != EISDIR && !is_absence(errno)) {
    return file_error("removing", root_ / key, errno);
  }
  if (fsync(folder.number()) != 0) return file_error("syncing the folder of", root_ / key, errno);
  // Folders are no objects: those that are empty now go too, so that listing stays short.
  while (!path.empty()) {
    const auto [above, last] = split_key(path);
    auto upper = open_folder(above, Missing::kFail);
    if (!upper || unlinkat(upper->number(), last.c_str(), AT_REMOVEDIR) != 0) break;
    path = above;
  }
  return {};
}

Result<void> FileStore::sweep(milliseconds age) {
  const Instant now = system_clock().now();
  std::vector<std::string> folders = {""};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    TRY(const Descriptor opened, open_folder(folder, Missing::kFail));
    TRY(const auto entries, entries_of(opened, root_ / folder));
    for (const Entry& entry : entries) {
      const std::string path = joined(folder, entry.name);
      if (S_ISDIR(entry.status.st_mode) && valid_key(path)) folders.push_back(path);
      if (S_ISREG(entry.status.st_mode) && entry.name.starts_with(kTemporaryPrefix) &&
          now - instant_of(entry.status.st_ctim) >= age) {
        unlinkat(opened.number(), entry.name.c_str(), 0);
      }
    }
  }
  return {};
}

Result<void> FileStore::checked(std::string_view key) const {
  if (valid_key(key)) return {};
  return Error{Code::kInvalidArgument, fmt::format("'{}' is no object key", key.substr(0, 80))};
}

Result<void> FileStore::checked_writable(std::string_view key) const {
  if (!writable_)
    return Error{Code::kPermission, fmt::format("{} was opened for reading only", root_.string())};
  return checked(key);
}

Result<Descriptor> FileStore::open_folder(std::string_view relative, Missing missing) const {
  Descriptor folder(open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open()) {
    Error error = file_error("opening bucket", root_, errno);
    if (error.code == Code::kNotFound) error.code = Code::kUnavailable;
    return error;
  }
  while (!relative.empty()) {
    const size_t slash = std::min(relative.find('/'), relative.size());
    const std::string name(relative.substr(0, slash));
    relative.remove_prefix(std::min(slash + 1, relative.size()));
    Descriptor next = step_into(folder, name);
    if (!next.open() && errno == ENOENT && missing == Missing::kMake) {
      if (mkdirat(folder.number(), name.c_str(), 0755) == 0 && fsync(folder.number()) != 0) {
        return file_error("syncing", root_, errno);
      }
      next = step_into(folder, name);
    }
    if (!next.open()) {
      if (missing == Missing::kFail && is_absence(errno)) return missing_object(name);
      if (errno == ENOTDIR || errno == ELOOP) {
        return Error{Code::kInvalidArgument,
                     fmt::format("in bucket {}, '{}' is no folder: nothing can be put under it",
                                 root_.string(), name)};
      }
      return file_error("opening a folder in", root_ / name, errno);
    }
    folder = std::move(next);
  }
  return folder;
}

Result<Descriptor> FileStore::open_object(std::string_view key) const {
  TRY_VOID(checked(key));
  const auto [path, name] = split_key(key);
  TRY(const Descriptor folder, open_folder(path, Missing::kFail));
  // O_NONBLOCK: a pipe of this name must not keep us waiting.
  Descriptor file(
      openat(folder.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.open()) {
    if (is_absence(errno)) return missing_object(key);
    return file_error("reading", root_ / key, errno);
  }
  struct stat status {};
  if (fstat(file.number(), &status) != 0) return file_error("reading", root_ / key, errno);
  if (!S_ISREG(status.st_mode)) return missing_object(key);
  return file;
}

Result<std::unique_ptr<ObjectStore>> open_file_store(std::string_view path, bool writable) {
  const fs::path root(path);
  if (!root.is_absolute()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("bucket 'file://{}': the path should be absolute: file:///...", path)};
  }
  auto store = std::make_unique<FileStore>(root, writable);
  if (writable) {
    TRY_VOID(make_folder(root));
    TRY_VOID(store->sweep(kLeftoverAge));
  }
  return store;
}

}  // namespace common
