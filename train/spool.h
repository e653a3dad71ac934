// Where a node keeps what it fetched of a window: what is small in memory, what is large in files.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "common/byte_source.h"
#include "common/object_store.h"
#include "common/result.h"
#include "common/window.h"
#include "compress/piece.h"
#include "train/messages.h"

namespace train {

// Of which object a fetched one is the copy.
struct SpoolName {
  common::Window window;
  common::Uid uid;
  std::string_view kind;  // "claimed", "sealed", "mirror"
};

// Several threads may use one spool, each another name. A large object whose fetch broke off goes
// on where it ended, also after a restart. Memory: kInMemory an object, or 8 MiB while a large one
// is fetched.
class Spool {
 public:
  using Fetched = std::unique_ptr<const common::ByteSource>;

  // Objects up to this size are held in memory: 1,000 of them are 1 GiB.
  static constexpr uint64_t kInMemory = 1 << 20;

  // `folder` is this process's alone; it is made when the first large object comes.
  explicit Spool(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // What `claim` promises, exactly, or kHashMismatch: it is another, or gone
  // (train/fetch_sealed.h). Errors are our trouble: the bucket did not answer, or our disk.
  common::Result<compress::Judged<Fetched>> claimed(common::ObjectStore& bucket,
                                                    std::string_view key, const Claim& claim,
                                                    const SpoolName& name) const;
  // An object of `size` bytes, whose digest the caller checks, and drops it if it is wrong.
  // kConflict: the object is longer or shorter; else what bucket and disk say.
  common::Result<Fetched> fetch(common::ObjectStore& bucket, std::string_view key, uint64_t size,
                                const SpoolName& name) const;
  // What is there under that name, if anything, is no good.
  void drop(const SpoolName& name) const;
  // Removes the files of other windows. What is being read of them stays readable.
  void keep_only(common::Window window) const;

 private:
  std::filesystem::path file(const SpoolName& name) const;

  std::filesystem::path folder_;
};

}  // namespace train
