// Goal: what the fuzzers start from, and what they once found, stays right with every compiler.
// Method: every file of tests/fuzz/corpus/<target>/ through the target's own entry, which aborts on
// a fault.
#include "tests/corpus.h"

// Each LLVMFuzzerTestOneInput under a name of its own (see CMakeLists.txt here).
extern "C" int fuzz_contribution(const uint8_t* data, size_t size);
extern "C" int fuzz_demo(const uint8_t* data, size_t size);
extern "C" int fuzz_dense(const uint8_t* data, size_t size);
extern "C" int fuzz_sparseloco(const uint8_t* data, size_t size);
extern "C" int fuzz_templar(const uint8_t* data, size_t size);

namespace compress {
namespace {

using tests::replay_corpus;

TEST(Corpus, Sparseloco) { replay_corpus("sparseloco", fuzz_sparseloco); }
TEST(Corpus, Templar) { replay_corpus("templar", fuzz_templar); }
TEST(Corpus, Demo) { replay_corpus("demo", fuzz_demo); }
TEST(Corpus, Distro) { replay_corpus("distro", fuzz_demo); }
TEST(Corpus, Dense) { replay_corpus("dense", fuzz_dense); }
TEST(Corpus, Contribution) { replay_corpus("contribution", fuzz_contribution); }

}  // namespace
}  // namespace compress
