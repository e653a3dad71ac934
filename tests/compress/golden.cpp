#include "tests/compress/golden.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace compress::testing {

Golden golden(const std::string& file) {
  std::ifstream in(std::string(MUSTER_SOURCE_DIR) + "/tests/compress/golden/" + file);
  EXPECT_TRUE(in.is_open()) << file;
  Golden golden;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (std::string word; words >> word;) golden[name].push_back(word);
  }
  return golden;
}

std::vector<float> heavy_tailed(uint64_t count, uint64_t seed, uint64_t row, int shift) {
  std::vector<float> values(count);
  uint64_t state = seed;
  for (uint64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto number = static_cast<double>((state >> 40) % 65536) - 32768;
    const int exponent = static_cast<int>(i / row * 7 % 5);
    values[i] = static_cast<float>(std::ldexp(number * number * number, exponent - shift));
  }
  return values;
}

}  // namespace compress::testing
