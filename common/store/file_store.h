// A bucket that is a folder: object `w/7/claim` is the file <root>/w/7/claim.
//
// No symbolic link is ever followed below the root, so nobody who may write in a bucket can make us
// read or write elsewhere. Whatever is not a regular file under a valid key is not there.
// `ObjectInfo::modified` is the moment the object became visible (the kernel's change time, which a
// writer cannot set back). A root that is missing is kUnavailable: then nobody answered, and no
// object is known to be absent.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "common/object_store.h"

namespace common {

class Descriptor;

class FileStore final : public ObjectStore {
 public:
  // `root` is absolute. Touches nothing; use open_file_store.
  FileStore(std::filesystem::path root, bool writable);

  Result<void> put(std::string_view key, ByteView bytes) override;
  Result<void> put_from(std::string_view key, const ByteSource& source) override;
  Result<Bytes> get(std::string_view key, uint64_t size_max) override;
  Result<Bytes> get_range(std::string_view key, Range range) override;
  Result<ObjectInfo> head(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix, size_t count_max) override;
  Result<void> remove(std::string_view key) override;

  // Removes temporary files that a killed writer left more than `age` ago.
  Result<void> sweep(milliseconds age);

 private:
  enum class Missing { kFail, kMake };

  Result<void> checked(std::string_view key) const;
  Result<void> checked_writable(std::string_view key) const;
  // The folder `relative` ("" is the root), reached segment by segment.
  Result<Descriptor> open_folder(std::string_view relative, Missing missing) const;
  Result<Descriptor> open_object(std::string_view key) const;
  // One attempt: kNotFound if the folder was pruned meanwhile.
  Result<void> put_once(std::string_view key, const ByteSource& source);

  std::filesystem::path root_;
  bool writable_;
};

// A writable store's folder is made and proved writable (kPermission), and old leftovers are swept.
// One for reading may come to be later. kInvalidArgument for a path that is not absolute.
Result<std::unique_ptr<ObjectStore>> open_file_store(std::string_view path, bool writable);

}  // namespace common
