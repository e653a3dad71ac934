// Goal: the island as a program. Method: prints each codec's root, once it is the same with every
// instruction set and on one thread and two; island_bits.sh compiles it several ways and compares.
// With an argument only the best instruction set and one thread are tried: without an optimiser the
// rest takes minutes.
#include <hwy/targets.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/compress/island.h"
#include "tests/compress/stored.h"

namespace {

using compress::testing::island_root;

// Whether all instruction sets and numbers of threads give this root; says which does not.
bool is_everywhere(const std::string& root, const std::string& codec) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    for (const uint32_t threads : {1u, 2u}) {
      const std::string here = island_root(codec, threads);
      if (here == root) continue;
      std::printf("%s %s with %s on %u threads\n", codec.c_str(), here.c_str(),
                  hwy::TargetName(target), threads);
      return false;
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  return true;
}

}  // namespace

int main(int argc, char**) {
  for (const std::string& codec : compress::testing::kCodecNames) {
    const std::string root = island_root(codec, 1);
    if (argc == 1 && !is_everywhere(root, codec)) return 1;
    std::printf("%s %s\n", codec.c_str(), root.c_str());
  }
}
