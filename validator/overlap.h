// Who resembles whom: index sets of contributions, held against the window's own distribution.
#pragma once

#include <span>
#include <vector>

#include "validator/evidence.h"
#include "validator/index_set.h"

namespace validator {

struct Fingerprint {
  Uid uid;
  Window window;
  const IndexSet* indices = nullptr;  // Of the same pieces as everybody's.
};

struct Resemblance {
  Uid uid;
  double overlap = 0;  // Share of its indices that an earlier contribution holds too,
  double z = 0;  //   in deviations above what is usual; the largest z, then the largest share.
  Uid with;      // Whose; its own uid: what it sent itself in an earlier window.
};

// For each of `now`, in their order, against all that came before it: all of `before` (last
// windows', its own too), and those of `now` with a lower uid. Within a window nobody can copy,
// since everything is sealed until the deadline: twins are one operator's, and the lower uid speaks
// for them. So whoever is named here is to blame, and never who was copied.
//
// What is usual is measured in the same window, by kind of pair (of this window; with another's
// past; with its own past), because honest contributions resemble each other by 36 % in a run's
// first windows and by 3 % later:
//
//   z = (overlap - median) / max(1.4826 * median absolute deviation, kDeviationMin)     over all
//   pairs of the kind
//
// Fewer than three pairs of a kind: z is 0, since there is nothing to measure against; so it is
// with a majority of copies. Time: (|now| + |before|) * |now| merges, each linear in the indices.
// uids in `now` are distinct.
std::vector<Resemblance> resemblances(std::span<const Fingerprint> now,
                                      std::span<const Fingerprint> before);

// A few honest pairs can lie so close together by chance that any other would look strange.
inline constexpr double kDeviationMin = 0.02;

// How many indices both hold.
uint64_t common_indices(const IndexSet& a, const IndexSet& b);

}  // namespace validator
