// Goal: the ledger's metadata is true: what it says of calls, events, errors, storage, constants
// and runtime APIs is what the ledger reads and writes, and, but for what the ledger lacks, what
// Bittensor's runtime says. Method: against mainnet's own metadata (spec 424), name by name and
// type by type; every value of a used chain and every event through the client's decoder of any
// type; both versions' bytes through the client's decoder of metadata.
#include <gtest/gtest.h>

#include <set>

#include "chain/embedded/metadata_encode.h"
#include "chain/substrate/value.h"
#include "tests/chain/golden_metadata.h"
#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

using substrate::CompositeType;
using substrate::golden_424;
using substrate::Metadata;
using substrate::Pallet;
using substrate::Type;
using substrate::Variant;
using substrate::VariantType;

// A struct of one nameless field is, on the wire, that field.
TypeId unwrapped(const Metadata& metadata, TypeId id) {
  for (;;) {
    const auto* composite = std::get_if<CompositeType>(&metadata.types[id].def);
    if (composite == nullptr || composite->fields.size() != 1 ||
        !composite->fields[0].name.empty()) {
      return id;
    }
    id = composite->fields[0].type;
  }
}

// Whether two types of two runtimes have one encoding and the same names.
class Comparison {
 public:
  Comparison(const Metadata& ours, const Metadata& theirs) : ours_(ours), theirs_(theirs) {}

  bool same(TypeId our_id, TypeId their_id) {
    our_id = unwrapped(ours_, our_id);
    their_id = unwrapped(theirs_, their_id);
    if (!seen_.insert({our_id, their_id}).second) return true;
    const Type& one = ours_.types[our_id];
    const Type& other = theirs_.types[their_id];
    // Enums of all pallets differ by what the ledger lacks.
    if (one.name().starts_with("Runtime") && one.name() == other.name()) return true;
    if (one.def.index() != other.def.index()) return false;
    return std::visit([&](const auto& def) { return same_def(def, other); }, one.def);
  }
  bool same_fields(const std::vector<substrate::Field>& one,
                   const std::vector<substrate::Field>& other) {
    if (one.size() != other.size()) return false;
    for (size_t i = 0; i < one.size(); ++i) {
      if (one[i].name != other[i].name || !same(one[i].type, other[i].type)) return false;
    }
    return true;
  }

 private:
  template <typename T>
  const T& as(const Type& type) {
    return std::get<T>(type.def);
  }
  bool same_def(const CompositeType& def, const Type& other) {
    return same_fields(def.fields, as<CompositeType>(other).fields);
  }
  // Ours may have fewer.
  bool same_def(const VariantType& def, const Type& other) {
    for (const Variant& one : def.variants) {
      const auto& theirs = as<VariantType>(other).variants;
      const auto found = std::find_if(theirs.begin(), theirs.end(), [&](const Variant& two) {
        return two.index == one.index && two.name == one.name;
      });
      if (found == theirs.end() || !same_fields(one.fields, found->fields)) return false;
    }
    return true;
  }
  bool same_def(const substrate::SequenceType& def, const Type& other) {
    return same(def.item, as<substrate::SequenceType>(other).item);
  }
  bool same_def(const substrate::ArrayType& def, const Type& other) {
    const auto& array = as<substrate::ArrayType>(other);
    return def.size == array.size && same(def.item, array.item);
  }
  bool same_def(const substrate::TupleType& def, const Type& other) {
    const auto& items = as<substrate::TupleType>(other).items;
    if (def.items.size() != items.size()) return false;
    for (size_t i = 0; i < items.size(); ++i) {
      if (!same(def.items[i], items[i])) return false;
    }
    return true;
  }
  bool same_def(substrate::Primitive def, const Type& other) {
    return def == as<substrate::Primitive>(other);
  }
  bool same_def(const substrate::CompactType& def, const Type& other) {
    return same(def.item, as<substrate::CompactType>(other).item);
  }
  bool same_def(const substrate::BitSequenceType&, const Type&) { return false; }

  const Metadata& ours_;
  const Metadata& theirs_;
  std::set<std::pair<TypeId, TypeId>> seen_;
};

bool same_type(TypeId ours, TypeId theirs) {
  return Comparison(runtime_metadata(), golden_424()).same(ours, theirs);
}

const std::vector<Variant>& variants_of(const Metadata& metadata, TypeId id) {
  return std::get<VariantType>(metadata.types[id].def).variants;
}

TEST(LedgerMetadata, TheComparisonTellsTypesApart) {
  const auto value = [](const Metadata& metadata, const char* item) {
    return metadata.storage("SubtensorModule", item)->value;
  };
  const char* items[] = {"Tempo", "Burn", "Owner", "Weights", "Active", "Axons", "AlphaV2"};
  for (const char* one : items) {
    for (const char* other : items) {
      EXPECT_EQ(same_type(value(runtime_metadata(), one), value(golden_424(), other)),
                std::string(one) == other)
          << one << " " << other;
    }
  }
}

// Every variant of ours stands in theirs with its number, its fields' names and their types.
void expect_variants(const std::optional<TypeId>& ours, const std::optional<TypeId>& theirs,
                     const std::string& where) {
  if (!ours) return;
  ASSERT_TRUE(theirs) << where;
  for (const Variant& one : variants_of(runtime_metadata(), *ours)) {
    const Variant* other = golden_424().variant(theirs, one.name);
    ASSERT_NE(other, nullptr) << where << "." << one.name;
    EXPECT_EQ(one.index, other->index) << where << "." << one.name;
    EXPECT_TRUE(Comparison(runtime_metadata(), golden_424()).same_fields(one.fields, other->fields))
        << where << "." << one.name;
  }
}

TEST(LedgerMetadata, SaysOfEveryCallEventAndErrorWhatMainnetSays) {
  for (const Pallet& pallet : runtime_metadata().pallets) {
    const Pallet* mainnet = golden_424().pallet(pallet.name);
    ASSERT_NE(mainnet, nullptr) << pallet.name;
    EXPECT_EQ(pallet.index, mainnet->index) << pallet.name;
    expect_variants(pallet.calls, mainnet->calls, pallet.name + " call");
    expect_variants(pallet.events, mainnet->events, pallet.name + " event");
    expect_variants(pallet.errors, mainnet->errors, pallet.name + " error");
  }
}

TEST(LedgerMetadata, SaysOfEveryStorageItemWhatMainnetSays) {
  size_t items = 0;
  for (const Pallet& pallet : runtime_metadata().pallets) {
    if (!pallet.storage) continue;
    for (const auto& item : pallet.storage->items) {
      const auto* mainnet = golden_424().storage(pallet.name, item.name);
      ASSERT_NE(mainnet, nullptr) << pallet.name << "." << item.name;
      EXPECT_EQ(item.hashers, mainnet->hashers) << item.name;
      EXPECT_EQ(item.has_default, mainnet->has_default) << item.name;
      EXPECT_TRUE(same_type(item.value, mainnet->value)) << pallet.name << "." << item.name;
      if (!item.hashers.empty()) {
        EXPECT_TRUE(same_type(item.key, mainnet->key)) << item.name;
      }
      ++items;
    }
  }
  EXPECT_GT(items, 100u);
}

TEST(LedgerMetadata, SaysOfEveryRuntimeApiWhatMainnetSays) {
  for (const auto& api : runtime_metadata().apis) {
    for (const auto& method : api.methods) {
      const auto* mainnet = golden_424().api(api.name, method.name);
      ASSERT_NE(mainnet, nullptr) << api.name << "." << method.name;
      EXPECT_TRUE(
          Comparison(runtime_metadata(), golden_424()).same_fields(method.inputs, mainnet->inputs))
          << api.name << "." << method.name;
      EXPECT_TRUE(same_type(method.output, mainnet->output)) << api.name << "." << method.name;
    }
  }
}

TEST(LedgerMetadata, SaysOfEveryConstantWhatMainnetSays) {
  for (const Pallet& pallet : runtime_metadata().pallets) {
    for (const auto& constant : pallet.constants) {
      const auto* mainnet = golden_424().constant(pallet.name, constant.name);
      ASSERT_NE(mainnet, nullptr) << constant.name;
      EXPECT_TRUE(same_type(constant.type, mainnet->type)) << constant.name;
      EXPECT_TRUE(substrate::decode_value(runtime_metadata(), constant.type, constant.value,
                                          constant.name));
    }
  }
}

TEST(LedgerMetadata, HasMainnetsExtensionsInTheirOrder) {
  const auto& ours = runtime_metadata().extrinsic.extensions;
  const auto& theirs = golden_424().extrinsic.extensions;
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].identifier, theirs[i].identifier);
    EXPECT_TRUE(same_type(ours[i].extra, theirs[i].extra)) << ours[i].identifier;
    EXPECT_TRUE(same_type(ours[i].implicit, theirs[i].implicit)) << ours[i].identifier;
  }
}

TEST(LedgerMetadata, ReadsBackAsItWasWritten) {
  const auto fifteen = substrate::decode_metadata(*metadata_bytes(15));
  ASSERT_TRUE(fifteen) << fifteen.error().message;
  EXPECT_EQ(*fifteen, runtime_metadata().version == 15 ? [] {
    // Only version 14 names the extrinsic's own type.
    Metadata wanted = runtime_metadata();
    wanted.extrinsic.type = 0;
    return wanted;
  }() : Metadata{});
  const auto fourteen = substrate::decode_metadata(*metadata_bytes(14));
  ASSERT_TRUE(fourteen) << fourteen.error().message;
  EXPECT_EQ(fourteen->types, runtime_metadata().types);
  EXPECT_EQ(fourteen->pallets, runtime_metadata().pallets);
  EXPECT_TRUE(fourteen->apis.empty());
  EXPECT_EQ(metadata_bytes(16), nullptr);
}

TEST(LedgerMetadata, EncodesMainnetsOwnAsMainnetDoes) {
  for (const char* name : {"293-v14", "293-v15"}) {
    const Bytes golden = substrate::golden_metadata_bytes(name);
    const auto metadata = substrate::decode_metadata(golden).value();
    EXPECT_EQ(encode_metadata(metadata, metadata.version), golden) << name;
  }
}

// A chain in which much has happened.
void live(World& world) {
  ASSERT_EQ(world.register_hotkey("alice", "alice/hot"), "");
  ASSERT_EQ(world.register_hotkey("bob", "bob/hot"), "");
  ASSERT_EQ(
      world.run("alice", calls::AddStake{World::account("alice/hot"), kNetuid, 50 * kRaoPerTao}),
      "");
  ASSERT_EQ(world.run("bob/hot", calls::ServeAxon{kNetuid, 1, 0x01020304, 9000}), "");
  ASSERT_EQ(world.run("bob/hot", calls::SetCommitment{kNetuid, {{{Data::of(Bytes(200, 7))}}}}), "");
  world.blocks(12);
  ASSERT_EQ(world.run("alice/hot", calls::SetWeights{kNetuid, {1, 2}, {1, 2}, 0}), "");
  ASSERT_EQ(world.run("alice", TransferKeepAlive{World::account("eve"), kRaoPerTao}), "");
  ASSERT_NE(world.run("alice", TransferKeepAlive{World::account("eve"), kRichRao * 9}), "");
  world.blocks(12);
}

TEST(LedgerMetadata, EveryStoredValueIsOfTheTypeThatItSays) {
  World world;
  ASSERT_NO_FATAL_FAILURE(live(world));
  size_t decoded = 0;
  std::set<std::string> seen;
  for (const auto& [key, value] : world.state.storage().entries()) {
    for (const Pallet& pallet : runtime_metadata().pallets) {
      if (!pallet.storage) continue;
      for (const auto& item : pallet.storage->items) {
        const Bytes prefix = substrate::storage_prefix(pallet.storage->prefix, item.name);
        if (!starts_with(key, prefix)) continue;
        const auto read = substrate::decode_value(runtime_metadata(), item.value, value, item.name);
        EXPECT_TRUE(read) << pallet.name << "." << item.name;
        seen.insert(pallet.name + "." + item.name);
        ++decoded;
      }
    }
  }
  // All but the chain's name, which is not Bittensor's.
  EXPECT_EQ(decoded + 1, world.state.storage().entries().size());
  EXPECT_GT(seen.size(), 80u);
}

TEST(LedgerMetadata, EveryEventOfAChainIsOneThatItLists) {
  World world;
  ASSERT_NO_FATAL_FAILURE(live(world));
  const auto* item = runtime_metadata().storage("System", "Events");
  std::set<std::string> names;
  for (uint64_t number = 1; number <= world.state.head().header.number; ++number) {
    const auto value = world.state.value_at(items::kEvents.key(), number);
    ASSERT_TRUE(value);
    const auto events = substrate::decode_value(runtime_metadata(), item->value, *value, "Events");
    ASSERT_TRUE(events) << events.error().message;
    for (const auto& record : *events->list()) {
      const auto* pallet = record.at("event")->choice();
      names.insert(pallet->name + "." + pallet->fields.values.at(0).choice()->name);
    }
    ASSERT_TRUE(decode_events(*value)) << number;
  }
  for (const char* name :
       {"SubtensorModule.NeuronRegistered", "SubtensorModule.WeightsSet", "Balances.Transfer",
        "System.ExtrinsicFailed", "TransactionPayment.TransactionFeePaid"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(LedgerMetadata, EveryRuntimeApiAnswersInTheTypeThatItSays) {
  World world;
  ASSERT_NO_FATAL_FAILURE(live(world));
  const Storage& storage = world.state.storage();
  const ApiContext context{world.state, storage, world.state.head().header.number};
  size_t answered = 0;
  for (const auto& api : runtime_metadata().apis) {
    for (const auto& method : api.methods) {
      const ApiRow* row = find_api(api.name + "_" + method.name);
      ASSERT_NE(row, nullptr);
      // Zeros are a value of most arguments; a subnet and an account that are there, of the others.
      for (const Bytes& args :
           {Bytes{}, Bytes{kNetuid, 0}, Bytes{kNetuid, 0, 1, 0}, Bytes{kNetuid, 0, 0},
            Bytes{kNetuid, 0, 4, 52, 0}, Encoder().account(World::account("alice")).done()}) {
        const auto answer = row->answer(context, args);
        if (!answer) continue;
        ++answered;
        EXPECT_TRUE(
            substrate::decode_value(runtime_metadata(), method.output, *answer, method.name))
            << api.name << "." << method.name;
      }
    }
  }
  EXPECT_GT(answered, 25u);
  EXPECT_EQ(find_api("Core_execute_block"), nullptr);
  EXPECT_EQ(find_api("Core"), nullptr);
}

// Calls from metadata alone, by the client's encoder, are the ledger's calls; and nothing else is.
TEST(LedgerMetadata, ACallEncodedByItIsDecodedByTheTable) {
  const auto encode = [](const char* pallet, const char* call, const nlohmann::json& args) {
    return substrate::encode_call(runtime_metadata(), pallet, call, args).value();
  };
  const std::string bob = World::account("bob").ss58();
  const auto transfer = encode("Balances", "transfer_keep_alive", {{"dest", bob}, {"value", 5}});
  EXPECT_EQ(transfer, encode_call(TransferKeepAlive{World::account("bob"), 5}));
  const nlohmann::json args = {
      {"netuid", 7}, {"dests", {1, 2}}, {"weights", {3, 4}}, {"version_key", 9}};
  const auto weights = encode("SubtensorModule", "set_weights", args);
  EXPECT_EQ(weights, encode_call(calls::SetWeights{7, {1, 2}, {3, 4}, 9}));
  // Every cut of it, and every byte more, is no call.
  for (size_t size = 0; size < weights.size(); ++size) {
    EXPECT_FALSE(find_call(ByteView(weights).first(size)));
  }
  Bytes longer = weights;
  longer.push_back(0);
  EXPECT_EQ(find_call(longer).error(), Invalid::kMalformed);
  EXPECT_EQ(find_call(Bytes{99, 0}).error(), Invalid::kCall);
}

TEST(LedgerMetadata, CallsStandInEachOtherOnlySoDeep) {
  Bytes call = encode_call(calls::Remark{});
  for (int depth = 1; depth <= kCallDepthMax; ++depth) {
    call = encode_named("Utility", "batch", calls::Batch{{{call}}});
    EXPECT_EQ(find_call(call).has_value(), depth < kCallDepthMax) << depth;
  }
}

}  // namespace
}  // namespace chain::embedded
