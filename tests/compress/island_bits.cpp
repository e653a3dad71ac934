// Goal: the island as a program. Method: prints its hash, once it is the same with every
// instruction set; island_bits.sh compiles it several ways and compares.
#include <hwy/targets.h>

#include <cstdio>
#include <string>

#include "tests/compress/island.h"

int main() {
  const std::string hash = compress::testing::island_hash();
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    const std::string here = compress::testing::island_hash();
    if (here == hash) continue;
    std::printf("%s with %s\n", here.c_str(), hwy::TargetName(target));
    return 1;
  }
  std::puts(hash.c_str());
}
