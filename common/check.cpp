#include "common/check.h"

#include <cstdio>
#include <cstdlib>

namespace common {

void check_failed(const char* condition, std::string_view message, const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s%s%.*s at %s:%d\n", condition, message.empty() ? "" : ": ",
               static_cast<int>(message.size()), message.data(), file, line);
  std::abort();
}

}  // namespace common
