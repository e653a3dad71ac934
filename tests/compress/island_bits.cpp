// Goal: the island as a program. Method: prints each codec's root, once it is the same with every
// instruction set and on one thread and two; island_bits.sh compiles it several ways and compares.
#include <hwy/targets.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/compress/island.h"
#include "tests/compress/stored.h"

int main() {
  using compress::testing::island_root;
  for (const std::string& codec : compress::testing::kCodecNames) {
    const std::string root = island_root(codec, 1);
    for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      for (const uint32_t threads : {1u, 2u}) {
        const std::string here = island_root(codec, threads);
        if (here == root) continue;
        std::printf("%s %s with %s on %u threads\n", codec.c_str(), here.c_str(),
                    hwy::TargetName(target), threads);
        return 1;
      }
    }
    hwy::SetSupportedTargetsForTest(0);
    std::printf("%s %s\n", codec.c_str(), root.c_str());
  }
}
