// What else the bits of sparseloco could cost: other codes for indices, levels, signs, magnitudes,
// each round-tripped and timed on one core, or counted where only a count is of interest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/study_input.h"

namespace bench {

struct Trial {
  std::string part;     // "index", "sign", "level", "magnitudes"
  std::string code;     // "rice", "range, static gaps", ...
  double bits = 0;      // A value that is kept.
  double encode_s = 0;  // 0 where only counted.
  double decode_s = 0;
  double error = 0;  // Of magnitudes: squared error over the kept values' energy.
};

std::vector<Trial> try_codes(const StudyInput& input);

}  // namespace bench
