#include "common/object_store.h"

#include <algorithm>

namespace common {
namespace {

constexpr size_t kKeySizeMax = 1024;

bool valid_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool valid_segment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), valid_character);
}

}  // namespace

bool valid_key(std::string_view key) {
  if (key.size() > kKeySizeMax) return false;
  for (;;) {
    const size_t slash = key.find('/');
    if (!valid_segment(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

}  // namespace common
