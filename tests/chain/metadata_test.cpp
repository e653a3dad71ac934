// Goal: what real runtimes say of themselves is read whole, and what nobody's runtime would say is
// refused, bounded, by name. Method: three golden descriptions; every truncation of the smallest
// and seeded changes of bytes; contradictions made by hand.
#include "chain/substrate/metadata.h"

#include <gtest/gtest.h>

#include "chain/substrate/metadata_checks.h"
#include "chain/substrate/value.h"
#include "tests/chain/golden_metadata.h"

namespace chain::substrate {
namespace {

using common::Code;

TEST(Metadata, RealRuntimesOfThreeVersionsAreRead) {
  struct Row {
    const char* name;
    int version;
    size_t types, pallets, apis, extensions;
  };
  for (const Row& row : {Row{"293-v14", 14, 514, 28, 0, 10}, Row{"293-v15", 15, 633, 28, 20, 10},
                         Row{"424-v16", 16, 753, 28, 24, 13}}) {
    const auto metadata = decode_metadata(golden_metadata_bytes(row.name));
    ASSERT_TRUE(metadata) << row.name << ": " << metadata.error().message;
    EXPECT_EQ(metadata->version, row.version);
    EXPECT_EQ(metadata->types.size(), row.types);
    EXPECT_EQ(metadata->pallets.size(), row.pallets);
    EXPECT_EQ(metadata->apis.size(), row.apis);
    EXPECT_EQ(metadata->extrinsic.extensions.size(), row.extensions);
    EXPECT_EQ(metadata->extrinsic.extensions.back().identifier, "CheckMetadataHash");
    EXPECT_EQ(metadata->types[metadata->extrinsic.address].name(), "MultiAddress");
    EXPECT_EQ(metadata->types[metadata->extrinsic.signature].name(), "MultiSignature");
    EXPECT_EQ(metadata->types[metadata->extrinsic.call].name(), "RuntimeCall");
  }
}

TEST(Metadata, NumbersMoveBetweenRuntimesAndNamesDoNot) {
  const auto index = [](const Metadata& metadata, const char* error) {
    return int{metadata.variant(metadata.pallet("SubtensorModule")->errors, error)->index};
  };
  EXPECT_EQ(index(golden_293(), "HotKeyNotRegisteredInSubNet"), 5);
  EXPECT_EQ(index(golden_424(), "HotKeyNotRegisteredInSubNet"), 4);
  EXPECT_EQ(golden_424().pallet("SubtensorModule")->index, 7);
  EXPECT_EQ(golden_424().pallet(uint8_t{18})->name, "Commitments");
  EXPECT_EQ(golden_424().pallet("Nonsense"), nullptr);
  EXPECT_EQ(golden_424().storage("SubtensorModule", "Nonsense"), nullptr);
}

TEST(Metadata, ItemsSayTheirHashersTypesAndDefaults) {
  const StorageItem* uids = golden_424().storage("SubtensorModule", "Uids");
  ASSERT_NE(uids, nullptr);
  EXPECT_EQ(uids->hashers, (std::vector<StorageHasher>{StorageHasher::kIdentity,
                                                       StorageHasher::kBlake2_128Concat}));
  EXPECT_FALSE(uids->has_default);
  EXPECT_EQ(type_text(golden_424(), uids->value), "u16");
  const StorageItem* commits = golden_424().storage("SubtensorModule", "WeightCommits");
  EXPECT_EQ(type_text(golden_424(), commits->value), "Vec<(H256, u64, u64, u64)>");
  const Constant* fee = golden_424().constant("Balances", "ExistentialDeposit");
  ASSERT_NE(fee, nullptr);
  EXPECT_EQ(decode_value(golden_424(), fee->type, fee->value, "x")->number<uint64_t>(), 500u);
}

TEST(Metadata, EveryTruncationIsRefused) {
  const Bytes bytes = golden_metadata_bytes("293-v14");
  for (size_t size = 0; size < bytes.size(); size += size < 2'000 ? 1 : 997) {
    ASSERT_FALSE(decode_metadata(ByteView(bytes).first(size))) << size;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_metadata(longer));
}

TEST(Metadata, ChangedBytesAreRefusedOrReadAndNeverBreakAReader) {
  const Bytes golden = golden_metadata_bytes("293-v14");
  uint64_t seed = 1;
  for (int i = 0; i < 60; ++i) {
    Bytes bytes = golden;
    for (int change = 0; change < 3; ++change) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      bytes[(seed >> 33) % bytes.size()] = static_cast<uint8_t>(seed >> 20);
    }
    const auto metadata = decode_metadata(bytes);
    if (!metadata) continue;
    // Whatever was read is safe to use.
    for (const Pallet& pallet : metadata->pallets) {
      for (const StorageItem& item :
           pallet.storage ? pallet.storage->items : std::vector<StorageItem>{}) {
        (void)decode_value(*metadata, item.value, item.default_value, item.name);
      }
    }
  }
}

TEST(Metadata, OtherVersionsAreRefusedByName) {
  Bytes bytes = golden_metadata_bytes("293-v14");
  bytes[4] = 13;
  const auto refused = decode_metadata(bytes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_NE(refused.error().message.find("version 13"), std::string::npos);
  EXPECT_FALSE(decode_metadata(common::view_of("mete")));
  EXPECT_FALSE(decode_metadata(Bytes(kMetadataSizeMax + 1)));
}

Metadata small() {
  Metadata metadata;
  metadata.types = {{{}, {}, TupleType{}}, {{}, {}, Primitive::kU16}, {{}, {}, VariantType{}}};
  metadata.pallets = {{"One", {}, {}, {}, {}, {}, 0}};
  return metadata;
}

TEST(Metadata, ContradictionsAreNamed) {
  ASSERT_TRUE(check_metadata(small()));
  const auto said = [](auto change) {
    Metadata metadata = small();
    change(metadata);
    const auto checked = check_metadata(metadata);
    return checked ? std::string("accepted") : checked.error().message;
  };
  using testing::AssertionSuccess;
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos ? AssertionSuccess()
                                                : testing::AssertionFailure() << text;
  };
  EXPECT_TRUE(has(said([](Metadata& m) { m.types[0].def = TupleType{{9}}; }), "has type 9"));
  EXPECT_TRUE(has(said([](Metadata& m) { m.types[0].def = CompactType{7}; }), "has type 7"));
  EXPECT_TRUE(has(said([](Metadata& m) { m.pallets[0].calls = 1; }), "calls are not an enum"));
  EXPECT_TRUE(has(said([](Metadata& m) { m.pallets[0].errors = 55; }), "has type 55"));
  EXPECT_TRUE(has(said([](Metadata& m) { m.pallets.push_back(m.pallets[0]); }), "two named One"));
  EXPECT_TRUE(has(said([](Metadata& m) {
                    m.pallets.push_back(m.pallets[0]);
                    m.pallets[1].name = "Two";
                  }),
                  "two pallets have number 0"));
  EXPECT_TRUE(has(said([](Metadata& m) {
                    const StorageHasher hasher = StorageHasher::kIdentity;
                    m.pallets[0].storage = {"One", {{"Map", false, {hasher, hasher}, 1, 1, {}}}};
                  }),
                  "2 hashers"));
  EXPECT_TRUE(has(said([](Metadata& m) {
                    m.types[2].def = VariantType{{{"A", {}, 3}, {"B", {}, 3}}};
                  }),
                  "two variants of number 3"));
}

}  // namespace
}  // namespace chain::substrate
