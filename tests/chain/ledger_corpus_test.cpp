// Goal: what the ledger's fuzzers found or were given stays right, with any compiler; and calls and
// requests that a little chance has altered do no harm either. Method: every seed through its
// target's own entry, then seeded alterations of it.
#include <gtest/gtest.h>

#include <random>

#include "chain/embedded/runtime.h"
#include "tests/corpus.h"

// LLVMFuzzerTestOneInput of tests/fuzz/*_fuzz.cpp (see CMakeLists.txt here).
extern "C" int fuzz_ledger_call(const uint8_t* data, size_t size);
extern "C" int fuzz_ledger_rpc(const uint8_t* data, size_t size);

namespace chain::embedded {
namespace {

using Entry = int (*)(const uint8_t*, size_t);

// The seed itself, and alterations of it: bytes changed, cut off, doubled.
void try_with_chance(Entry entry, std::mt19937& random, const uint8_t* data, size_t size) {
  constexpr int kAlterations = 30;
  entry(data, size);
  for (int i = 0; i < kAlterations && size > 0; ++i) {
    Bytes bytes(data, data + size);
    for (auto left = 1 + random() % 3; left > 0; --left) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size() + 1);
    if (random() % 8 == 0) bytes.insert(bytes.end(), bytes.begin(), bytes.end());
    entry(bytes.data(), bytes.size());
  }
}

TEST(LedgerCorpus, Calls) {
  std::mt19937 random(20'260'701);
  tests::replay_corpus("ledger_call", [&](const uint8_t* data, size_t size) {
    try_with_chance(fuzz_ledger_call, random, data, size);
    return 0;
  });
}

TEST(LedgerCorpus, Requests) {
  std::mt19937 random(20'260'701);
  tests::replay_corpus("ledger_rpc", [&](const uint8_t* data, size_t size) {
    try_with_chance(fuzz_ledger_rpc, random, data, size);
    return 0;
  });
}

// There is a seed of every call, and each is one.
TEST(LedgerCorpus, EveryCallHasASeedThatIsOne) {
  for (const PalletTable& table : pallets()) {
    for (const CallRow& row : table.calls) {
      const auto path = std::string(MUSTER_SOURCE_DIR) + "/tests/fuzz/corpus/ledger_call/" +
                        std::string(table.name) + "." + std::string(row.name);
      const auto seed = common::read_file(path, 1 << 16);
      ASSERT_TRUE(seed) << path;
      const auto found = find_call(*seed);
      ASSERT_TRUE(found) << path;
      EXPECT_EQ(&found->row, &row);
    }
  }
}

}  // namespace
}  // namespace chain::embedded
