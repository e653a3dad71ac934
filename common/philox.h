// Random numbers that everybody can draw again: Philox4x32-10, a counter-based generator.
//
// Number i of a stream depends on the key and on i alone, so any node recomputes any draw, in any
// order, on any machine. Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011; the test holds Random123's known answers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/hash.h"

namespace common {

// The bare function: ten rounds over a counter of four words under a key of two.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// A stream of numbers seeded by a hash (of a block, a uid, a purpose). Not for secrets.
class Philox {
 public:
  explicit Philox(const Hash& seed);
  explicit Philox(uint64_t seed);

  uint32_t next32();
  uint64_t next64();
  // Uniform in [0, bound), without bias (rejection).  Pre: bound > 0.
  uint64_t below(uint64_t bound);
  // Uniform in [0, 1), 53 bits.
  double unit();
  // Mean 0, variance 1, nearly normal: the sum of twelve uniforms less six (Irwin-Hall). Only exact
  // additions, so that every machine draws the same initial parameters; libm's log and cos would
  // not.
  double normal();

 private:
  std::array<uint32_t, 2> key_{};
  std::array<uint32_t, 4> counter_{};
  std::array<uint32_t, 4> words_{};
  int used_ = 4;
};

// `count` different numbers of [0, population), in drawn order: the first steps of a Fisher-Yates
// shuffle, kept sparse. Time and memory are linear in `count`.  Pre: count <= population.
std::vector<uint64_t> sample_without_replacement(Philox& random, uint64_t population,
                                                 uint64_t count);

}  // namespace common
