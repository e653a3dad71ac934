// Every seed of a fuzz target through the target's own entry, with any compiler.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "common/files.h"

namespace tests {

// Every file of tests/fuzz/corpus/<target>/, four at least; the entry aborts on a fault.
inline void replay_corpus(const std::string& target,
                          const std::function<int(const uint8_t*, size_t)>& entry) {
  namespace fs = std::filesystem;
  size_t files = 0;
  for (const auto& file :
       fs::directory_iterator(fs::path(MUSTER_SOURCE_DIR) / "tests/fuzz/corpus" / target)) {
    const auto bytes = common::read_file(file.path(), 1 << 20);
    ASSERT_TRUE(bytes) << bytes.error().message;
    SCOPED_TRACE(file.path().filename());
    EXPECT_EQ(entry(bytes->data(), bytes->size()), 0);
    ++files;
  }
  EXPECT_GE(files, 4U);
}

}  // namespace tests
