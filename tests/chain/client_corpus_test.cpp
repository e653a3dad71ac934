// Goal: what the fuzzers of the client found or were given stays right, with any compiler. Method:
// every seed through its target's own entry; and the seeds that should be accepted are.
#include <gtest/gtest.h>

#include "chain/substrate/metadata.h"
#include "tests/corpus.h"

// LLVMFuzzerTestOneInput of tests/fuzz/*_fuzz.cpp (see CMakeLists.txt here).
extern "C" int fuzz_metadata(const uint8_t* data, size_t size);
extern "C" int fuzz_rpc_message(const uint8_t* data, size_t size);
extern "C" int fuzz_scale(const uint8_t* data, size_t size);

namespace chain::substrate {
namespace {

TEST(ClientCorpus, Metadata) { tests::replay_corpus("metadata", fuzz_metadata); }
TEST(ClientCorpus, RpcMessages) { tests::replay_corpus("rpc_message", fuzz_rpc_message); }
TEST(ClientCorpus, ScaleValues) { tests::replay_corpus("scale", fuzz_scale); }

TEST(ClientCorpus, TheSmallestMetadataOfEachVersionIsAccepted) {
  for (const int version : {14, 15, 16}) {
    const auto path = std::string(MUSTER_SOURCE_DIR) + "/tests/fuzz/corpus/metadata/seed_v" +
                      std::to_string(version);
    const auto metadata = decode_metadata(common::read_file(path, 1 << 16).value());
    ASSERT_TRUE(metadata) << version << ": " << metadata.error().message;
    EXPECT_EQ(metadata->storage("One", "Uids")->hashers.size(), 2u);
    EXPECT_EQ(metadata->extrinsic.extensions.size(), 1u);
    EXPECT_EQ(metadata->apis.size(), version == 14 ? 0u : 1u);
  }
}

}  // namespace
}  // namespace chain::substrate
