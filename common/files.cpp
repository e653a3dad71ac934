#include "common/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "common/store/file_ops.h"

namespace common {
namespace {

namespace fs = std::filesystem;

Result<Descriptor> open_file(const fs::path& file, int flags, std::string_view doing) {
  Descriptor descriptor(open(file.c_str(), flags | O_CLOEXEC, 0644));
  if (!descriptor.open()) return file_error(doing, file, errno);
  return descriptor;
}

Result<Descriptor> open_folder(const fs::path& folder) {
  return open_file(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY, "opening");
}

Result<void> sync_folder(const fs::path& folder) {
  TRY(const Descriptor descriptor, open_folder(folder));
  if (fsync(descriptor.number()) != 0) return file_error("syncing", folder, errno);
  return {};
}

// Makes what is missing from the top down; a new folder's name is on the disk before we go on.
Result<void> make_folders(const fs::path& folder) {
  fs::path made;
  for (const fs::path& part : folder) {
    const fs::path above = made;
    made /= part;
    if (mkdir(made.c_str(), 0755) == 0) {
      TRY_VOID(sync_folder(above));
    } else if (struct stat status{}; stat(made.c_str(), &status) != 0) {
      return file_error("making folder", made, errno);
    } else if (!S_ISDIR(status.st_mode)) {
      return Error{Code::kInvalidArgument,
                   fmt::format("making folder {}: {} is a file", folder.string(), made.string())};
    }
  }
  return {};
}

}  // namespace

Result<void> write_file(const fs::path& file, ByteView bytes, int mode) {
  if (!file.has_filename()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("writing '{}': it names no file", file.string())};
  }
  TRY_VOID(make_folders(file.parent_path()));
  TRY(const Descriptor folder, open_folder(file.parent_path()));
  return replace_file_at(folder, file.filename().string(), bytes, static_cast<mode_t>(mode), file);
}

Result<Bytes> read_file(const fs::path& file, uint64_t size_max) {
  // Without O_NONBLOCK a pipe of this name would keep us waiting.
  TRY(const Descriptor descriptor, open_file(file, O_RDONLY | O_NONBLOCK, "reading"));
  return read_whole(descriptor, size_max, file);
}

Result<void> make_folder(const fs::path& folder) {
  TRY_VOID(make_folders(folder));
  TRY(const Descriptor descriptor, open_folder(folder));
  // A name of its own: several threads may ask for one folder at once.
  static std::atomic<uint64_t> count = 0;
  const std::string probe = fmt::format("{}probe-{}-{}", kTemporaryPrefix, getpid(), ++count);
  TRY_VOID(replace_file_at(descriptor, probe, ByteView(), 0600, folder));
  if (unlinkat(descriptor.number(), probe.c_str(), 0) != 0) {
    return file_error("removing a file in", folder, errno);
  }
  return {};
}

Result<MappedFile> MappedFile::open(const fs::path& file) {
  TRY(const Descriptor descriptor, open_file(file, O_RDONLY | O_NONBLOCK, "mapping"));
  struct stat status {};
  if (fstat(descriptor.number(), &status) != 0) return file_error("mapping", file, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Code::kInvalidArgument,
                 fmt::format("mapping {}: it is no regular file", file.string())};
  }
  MappedFile mapped;
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return mapped;  // The kernel maps no empty file.
  void* const start = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.number(), 0);
  if (start == MAP_FAILED) return file_error("mapping", file, errno);
  mapped.bytes_ = {static_cast<const uint8_t*>(start), size};
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
}

Result<FolderLock> FolderLock::take(const fs::path& folder) {
  TRY(Descriptor file, open_file(folder / "lock", O_RDWR | O_CREAT, "locking"));
  if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return file_error("locking", folder, errno);
    return Error{Code::kAlreadyExists,
                 fmt::format("{} is in use by another process; stop it, or choose another folder",
                             folder.string())};
  }
  FolderLock lock;
  lock.descriptor_ = file.release();
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace common
