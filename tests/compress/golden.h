// Numbers that scripts made (tests/compress/golden/), by name, and the input they were made from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace compress::testing {

// Lines of `name words...`, of tests/compress/golden/<file>.
using Golden = std::map<std::string, std::vector<std::string>>;
Golden golden(const std::string& file);

// What the scripts call heavy_tailed and delta: cubes over 2^`shift`, times 2^(0..4) by row.
std::vector<float> heavy_tailed(uint64_t count, uint64_t seed, uint64_t row, int shift);

}  // namespace compress::testing
