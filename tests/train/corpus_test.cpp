// Goal: what the fuzzers start from, and what they once found, stays right with every compiler.
// Method: every file of tests/fuzz/corpus/<target>/ through the target's own entry, which aborts on
// a fault.
#include "tests/corpus.h"

// Each LLVMFuzzerTestOneInput under a name of its own (see CMakeLists.txt here).
extern "C" int fuzz_hf_config(const uint8_t* data, size_t size);
extern "C" int fuzz_llama2c(const uint8_t* data, size_t size);
extern "C" int fuzz_manifest(const uint8_t* data, size_t size);
extern "C" int fuzz_messages(const uint8_t* data, size_t size);
extern "C" int fuzz_receipt(const uint8_t* data, size_t size);
extern "C" int fuzz_safetensors(const uint8_t* data, size_t size);
extern "C" int fuzz_safetensors_header(const uint8_t* data, size_t size);
extern "C" int fuzz_seal(const uint8_t* data, size_t size);
extern "C" int fuzz_tokenizer(const uint8_t* data, size_t size);

namespace train {
namespace {

using tests::replay_corpus;

TEST(Corpus, HfConfig) { replay_corpus("hf_config", fuzz_hf_config); }
TEST(Corpus, Llama2c) { replay_corpus("llama2c", fuzz_llama2c); }
TEST(Corpus, Manifest) { replay_corpus("manifest", fuzz_manifest); }
TEST(Corpus, Messages) { replay_corpus("messages", fuzz_messages); }
TEST(Corpus, Receipt) { replay_corpus("receipt", fuzz_receipt); }
TEST(Corpus, Safetensors) { replay_corpus("safetensors", fuzz_safetensors); }
TEST(Corpus, SafetensorsHeader) { replay_corpus("safetensors_header", fuzz_safetensors_header); }
TEST(Corpus, Seal) { replay_corpus("seal", fuzz_seal); }
TEST(Corpus, Tokenizer) { replay_corpus("tokenizer", fuzz_tokenizer); }

}  // namespace
}  // namespace train
