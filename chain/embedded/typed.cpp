#include "chain/embedded/typed.h"

namespace chain::embedded {

TypeId TypeRegistry::add(substrate::Type type) {
  types_.push_back(std::move(type));
  return static_cast<TypeId>(types_.size() - 1);
}

std::vector<std::string> path_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t end = path.find("::");
    parts.emplace_back(path.substr(0, end));
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 2);
  }
  return parts;
}

std::vector<std::string> words_of(std::string_view words) {
  std::vector<std::string> out;
  while (!words.empty()) {
    const size_t end = words.find(' ');
    out.emplace_back(words.substr(0, end));
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  return out;
}

}  // namespace chain::embedded
