// Goal: what the fuzzers start from, and what they once found, stays right with every compiler.
// Method: every file of tests/fuzz/corpus/<target>/ through the target's own entry, which aborts on
// a fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/files.h"

// Each LLVMFuzzerTestOneInput under a name of its own (see CMakeLists.txt here).
extern "C" int fuzz_contribution(const uint8_t* data, size_t size);
extern "C" int fuzz_demo(const uint8_t* data, size_t size);
extern "C" int fuzz_dense(const uint8_t* data, size_t size);
extern "C" int fuzz_sparseloco(const uint8_t* data, size_t size);
extern "C" int fuzz_templar(const uint8_t* data, size_t size);

namespace compress {
namespace {

namespace fs = std::filesystem;

void replay(const std::string& target, const std::function<int(const uint8_t*, size_t)>& entry) {
  size_t files = 0;
  for (const auto& file :
       fs::directory_iterator(fs::path(MUSTER_SOURCE_DIR) / "tests/fuzz/corpus" / target)) {
    const auto bytes = common::read_file(file.path(), 1 << 20);
    ASSERT_TRUE(bytes) << bytes.error().message;
    SCOPED_TRACE(file.path().filename());
    EXPECT_EQ(entry(bytes->data(), bytes->size()), 0);
    ++files;
  }
  EXPECT_GE(files, 4u);
}

TEST(Corpus, Sparseloco) { replay("sparseloco", fuzz_sparseloco); }
TEST(Corpus, Templar) { replay("templar", fuzz_templar); }
TEST(Corpus, Demo) { replay("demo", fuzz_demo); }
TEST(Corpus, Distro) { replay("distro", fuzz_demo); }
TEST(Corpus, Dense) { replay("dense", fuzz_dense); }
TEST(Corpus, Contribution) { replay("contribution", fuzz_contribution); }

}  // namespace
}  // namespace compress
