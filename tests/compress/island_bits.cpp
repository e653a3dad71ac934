// Goal: the island as a program. Method: prints its hash; island_bits.sh compiles it several ways
// and compares.
#include <cstdio>

#include "tests/compress/island.h"

int main() { std::puts(compress::testing::island_hash().c_str()); }
