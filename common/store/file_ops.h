// System calls on files, as Results: what common/files.cpp and the file store are both made of.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/byte_source.h"
#include "common/bytes.h"
#include "common/result.h"

namespace common {

// An open file or folder, closed by the destructor. Move only.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  // The caller closes it from now on.
  int release();

 private:
  int number_ = -1;
};

// "<doing> <path>: <the system's words>", with the code that `errno_value` means. A path that leads
// nowhere (no such file, a file where a folder should be) is kNotFound; no right to it,
// kPermission, with what to do; a full disk or a size limit, kExhausted.
Error file_error(std::string_view doing, const std::filesystem::path& path, int errno_value);

// A temporary file's name begins with this. No object key may hold '~', so no key names one.
inline constexpr std::string_view kTemporaryPrefix = ".tmp~";

// In the open folder: `bytes` under a temporary name, synced, renamed to `name`, the folder synced.
// On failure the old file stands and the temporary is removed. `shown` is the path in messages.
Result<void> replace_file_at(const Descriptor& folder, const std::string& name, ByteView bytes,
                             mode_t mode, const std::filesystem::path& shown);
// The same of a source, of which a MiB at a time is in memory. Its errors are handed on.
Result<void> replace_file_at(const Descriptor& folder, const std::string& name,
                             const ByteSource& source, mode_t mode,
                             const std::filesystem::path& shown);

// All of an open regular file. kExhausted, before memory is asked for, if it is longer than
// `size_max`.
Result<Bytes> read_whole(const Descriptor& file, uint64_t size_max,
                         const std::filesystem::path& shown);

// Bytes first .. first + size of an open file, or those of them that there are.
// Pre: the caller has bounded `size`.
Result<Bytes> read_part(const Descriptor& file, uint64_t first, size_t size,
                        const std::filesystem::path& shown);

}  // namespace common
