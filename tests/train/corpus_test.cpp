// Goal: what the fuzzers start from, and what they once found, stays right with every compiler.
// Method: every file of tests/fuzz/corpus/<target>/ through the target's own entry, which aborts on
// a fault.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "common/files.h"

// Each LLVMFuzzerTestOneInput under a name of its own (see CMakeLists.txt here).
extern "C" int fuzz_hf_config(const uint8_t* data, size_t size);
extern "C" int fuzz_llama2c(const uint8_t* data, size_t size);
extern "C" int fuzz_manifest(const uint8_t* data, size_t size);
extern "C" int fuzz_messages(const uint8_t* data, size_t size);
extern "C" int fuzz_receipt(const uint8_t* data, size_t size);
extern "C" int fuzz_safetensors(const uint8_t* data, size_t size);
extern "C" int fuzz_safetensors_header(const uint8_t* data, size_t size);
extern "C" int fuzz_tokenizer(const uint8_t* data, size_t size);

namespace train {
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
  EXPECT_GE(files, 4U);
}

TEST(Corpus, HfConfig) { replay("hf_config", fuzz_hf_config); }
TEST(Corpus, Llama2c) { replay("llama2c", fuzz_llama2c); }
TEST(Corpus, Manifest) { replay("manifest", fuzz_manifest); }
TEST(Corpus, Messages) { replay("messages", fuzz_messages); }
TEST(Corpus, Receipt) { replay("receipt", fuzz_receipt); }
TEST(Corpus, Safetensors) { replay("safetensors", fuzz_safetensors); }
TEST(Corpus, SafetensorsHeader) { replay("safetensors_header", fuzz_safetensors_header); }
TEST(Corpus, Tokenizer) { replay("tokenizer", fuzz_tokenizer); }

}  // namespace
}  // namespace train
