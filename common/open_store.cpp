// The small room on top: the one place that knows which object stores there are.
#include <fmt/format.h>

#include "common/object_store.h"
#include "common/store/file_store.h"

namespace common {

Result<std::unique_ptr<ObjectStore>> open_store(std::string_view address, bool writable) {
  static constexpr std::string_view kFile = "file://";
  if (address.starts_with(kFile)) return open_file_store(address.substr(kFile.size()), writable);
  return Error{Code::kInvalidArgument,
               fmt::format("bucket '{}': the address should be file:///absolute/path", address)};
}

}  // namespace common
