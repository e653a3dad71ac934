// Fetches an object of any size into a file: in ranges, in bounded memory, and from where it broke
// off.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "common/object_store.h"
#include "common/result.h"

namespace common {

struct FetchOptions {
  uint64_t range_size = 8 << 20;  // Asked for at once, and held in memory.
  // Asked before every range; false ends the fetch with kCancelled.
  std::function<bool()> keep_going = [] { return true; };
};

struct Fetched {
  // How many bytes an earlier, broken fetch had left. What lies there may be damaged (a disk that
  // lost power) or of another object of this name: who finds it wrong fetches once more from the
  // start before he blames the store.
  uint64_t resumed = 0;
};

// The object's `size` bytes, which are known from elsewhere, in `file`; folders on the way are
// made. While it is incomplete it is called "<file>.part", and the next fetch goes on there;
// renamed when it is whole and on the disk. A file that is there already, of this size, is left as
// it is.
//
// An object may change while it is read: what was fetched must be checked against its hash.
// kConflict if the object is longer than `size` (and then it is not read) or ends before, and
// nothing is kept; kNotFound only if the store said so. Otherwise what the store and our disk say
// (never kNotFound: kIo), and what came so far is kept. One fetch of a `file` at a time.
Result<Fetched> fetch_to_file(ObjectStore& store, std::string_view key, uint64_t size,
                              const std::filesystem::path& file, const FetchOptions& options = {});

// Both the file and what a broken fetch left; nothing there is no error.
void discard_fetched(const std::filesystem::path& file);

}  // namespace common
