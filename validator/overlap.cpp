#include "validator/overlap.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/check.h"

namespace validator {
namespace {

constexpr size_t kPairsMin = 3;
constexpr double kMadToDeviation = 1.4826;  // Of a normal distribution: 1 / 0.6745.

enum Kind : size_t { kThisWindow, kAnothersPast, kOwnPast, kKindCount };

struct Pair {
  size_t of;  // In `now`.
  Uid with;
  Kind kind;
  double overlap;
};

double median_of(std::vector<double> values) {
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle),
                   values.end());
  return values[middle];
}

// Of one kind of pairs.
struct Usual {
  bool known = false;
  double median = 0;
  double deviation = 0;
};

Usual usual_of(const std::vector<Pair>& pairs, Kind kind) {
  std::vector<double> overlaps;
  for (const Pair& pair : pairs) {
    if (pair.kind == kind) overlaps.push_back(pair.overlap);
  }
  if (overlaps.size() < kPairsMin) return {};
  const double median = median_of(overlaps);
  for (double& overlap : overlaps) overlap = std::abs(overlap - median);
  const double deviation = kMadToDeviation * median_of(overlaps);
  return {true, median, std::max(deviation, kDeviationMin)};
}

double share_of(const Fingerprint& one, const Fingerprint& other) {
  if (one.indices->empty()) return 0;
  return static_cast<double>(common_indices(*one.indices, *other.indices)) /
         static_cast<double>(one.indices->size());
}

std::vector<Pair> pairs_of(std::span<const Fingerprint> now, std::span<const Fingerprint> before) {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < now.size(); ++i) {
    for (const Fingerprint& other : now) {
      if (other.uid < now[i].uid) {
        pairs.push_back({i, other.uid, kThisWindow, share_of(now[i], other)});
      }
    }
    for (const Fingerprint& past : before) {
      const Kind kind = past.uid == now[i].uid ? kOwnPast : kAnothersPast;
      pairs.push_back({i, past.uid, kind, share_of(now[i], past)});
    }
  }
  return pairs;
}

}  // namespace

uint64_t common_indices(const IndexSet& a, const IndexSet& b) {
  uint64_t count = 0;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {  // No branch on what is random.
    const uint32_t x = a[i];
    const uint32_t y = b[j];
    count += x == y;
    i += x <= y;
    j += y <= x;
  }
  return count;
}

std::vector<Resemblance> resemblances(std::span<const Fingerprint> now,
                                      std::span<const Fingerprint> before) {
  const std::vector<Pair> pairs = pairs_of(now, before);
  std::array<Usual, kKindCount> usual;
  for (size_t kind = 0; kind < kKindCount; ++kind) {
    usual[kind] = usual_of(pairs, static_cast<Kind>(kind));
  }
  std::vector<Resemblance> found;
  for (const Fingerprint& one : now) found.push_back({.uid = one.uid, .with = one.uid});
  std::vector<bool> seen(now.size(), false);
  for (const Pair& pair : pairs) {
    const Usual& of_kind = usual[pair.kind];
    const double z = of_kind.known ? (pair.overlap - of_kind.median) / of_kind.deviation : 0;
    Resemblance& best = found[pair.of];
    const bool larger = z != best.z ? z > best.z : pair.overlap > best.overlap;
    if (seen[pair.of] && !larger) continue;
    seen[pair.of] = true;
    best = {now[pair.of].uid, pair.overlap, z, pair.with};
  }
  return found;
}

}  // namespace validator
