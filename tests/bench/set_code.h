// Sets of k of up to 64 things, numbered.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace bench {

// A set of k of up to 64 as its number among all such sets: C(n, k) of them, so that it takes the
// least bits there are. Source: Cover 1973, "Enumerative source coding".
class SetCode {
 public:
  SetCode() {
    for (size_t n = 0; n <= 64; ++n) {
      ways_[n][0] = 1;
      for (size_t k = 1; k <= n; ++k) ways_[n][k] = ways_[n - 1][k - 1] + ways_[n - 1][k];
    }
  }
  uint64_t ways(size_t n, size_t k) const { return ways_[n][k]; }
  // The set bits p1 < p2 < ...: C(p1, 1) + C(p2, 2) + ...
  uint64_t number(uint64_t set) const {
    uint64_t number = 0;
    for (size_t k = 1; set != 0; set &= set - 1, ++k) {
      number += ways_[static_cast<size_t>(std::countr_zero(set))][k];
    }
    return number;
  }
  uint64_t set(uint64_t number, size_t n, size_t k) const {
    uint64_t set = 0;
    for (size_t p = n; k > 0; --p) {
      const uint64_t below = ways_[p - 1][k];  // Sets without p - 1.
      if (number < below) continue;
      number -= below;
      set |= uint64_t{1} << (p - 1);
      --k;
    }
    return set;
  }

 private:
  uint64_t ways_[65][66] = {};
};

}  // namespace bench
