// "Did you mean": the names that look like one that is not there.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace chain::substrate {

// Adds `text` to a list of texts.
inline void add_listed(std::string& out, std::string_view separator, std::string_view text) {
  if (!out.empty()) out.append(separator);
  out.append(text);
}

// ": there is NetworksAdded, NetworkIsAdded", or "" if nothing looks like `name`. Each of `all` has
// a `name`.
template <typename Range>
std::string similar_names(const Range& all, std::string_view name) {
  constexpr size_t kTextMax = 120;
  const auto lower = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::erase(out, '_');
    return out;
  };
  const std::string wanted = lower(name);
  std::string out;
  for (const auto& one : all) {
    const std::string there = lower(one.name);
    const bool close = !wanted.empty() && (there.find(wanted) != std::string::npos ||
                                           wanted.find(there) != std::string::npos);
    if (close && out.size() < kTextMax) add_listed(out, ", ", one.name);
  }
  if (!out.empty()) out.insert(0, ": there is ");
  return out;
}

}  // namespace chain::substrate
