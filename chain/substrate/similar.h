// "Did you mean": the names that look like one that is not there.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace chain::substrate {

// How many letters must be put in, taken out, replaced, or swapped with their neighbour to make `a`
// into `b`. Damerau 1964, in the form where nothing is changed twice.
inline size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const size_t same = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + same});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

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
  constexpr size_t kNameMax = 64;  // Longer ones are not typed by hand.
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
    const bool part = !wanted.empty() && (there.find(wanted) != std::string::npos ||
                                          wanted.find(there) != std::string::npos);
    const size_t typos_max = wanted.size() < 5 ? 1 : 2;
    const bool close = part || (wanted.size() <= kNameMax && there.size() <= kNameMax &&
                                edit_distance(wanted, there) <= typos_max);
    if (close && out.size() < kTextMax) add_listed(out, ", ", one.name);
  }
  if (!out.empty()) out.insert(0, ": there is ");
  return out;
}

}  // namespace chain::substrate
