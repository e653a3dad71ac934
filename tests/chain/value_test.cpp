// Goal: any value of a real runtime is read, shown and written back to the same bytes; calls are
// made by names; what is wrong is named by its path; no bytes and no types make a reader run away.
// Method: golden calls of 18 extrinsics both ways, hand-made types, hostile lengths and depths.
#include "chain/substrate/value.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "chain/substrate/extrinsic.h"
#include "chain/substrate/signing.h"
#include "chain/substrate/stored.h"
#include "tests/chain/golden_metadata.h"

namespace chain::substrate {
namespace {

using common::Code;

const Json& golden_file() {
  static const Json json = [] {
    const auto path = std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/extrinsics.json";
    return Json::parse(common::text_of(common::read_file(path, 1 << 20).value()));
  }();
  return json;
}
Bytes unhex(const Json& text) { return common::from_hex(text.get<std::string>()).value(); }
std::string text_in(const Json& value) { return value.get<std::string>(); }
std::string as_hex(ByteView bytes) { return "0x" + common::to_hex(bytes); }

// -- golden extrinsics ----------------------------------------------------------------------------

TEST(GoldenCalls, AreReadByNamesAndMadeAgainByteForByte) {
  int count = 0;
  for (const Json& entry : golden_file()["extrinsics"]) {
    const Bytes wire = unhex(entry["ed25519_alice_extrinsic"]);
    const auto read = read_extrinsic(golden_424(), wire);
    ASSERT_TRUE(read) << entry["name"] << ": " << read.error().message;
    EXPECT_EQ(read->signer.get<std::string>().size(), 48u);
    const auto call = encode_call(golden_424(), read->pallet, read->call, read->arguments);
    ASSERT_TRUE(call) << entry["name"] << ": " << call.error().message;
    EXPECT_EQ(as_hex(*call), text_in(entry["call"])) << entry["name"];
    ++count;
  }
  EXPECT_EQ(count, 18);
}

Era era_of(const std::string& name) {
  if (name == "immortal") return Era::immortal();
  const size_t at = name.find("_at_");
  return Era::mortal(static_cast<uint32_t>(std::stoul(name.substr(6, at - 6))),
                     std::stoull(name.substr(at + 4)));
}

TEST(GoldenCalls, AreSignedAndAssembledAsTheirMetadataSays) {
  for (const Json& entry : golden_file()["extrinsics"]) {
    const Bytes wire = unhex(entry["ed25519_alice_extrinsic"]);
    const auto decoded = decode_extrinsic(wire).value();
    const Hash genesis = Hash::from_hex(golden_file()["genesisHash"].get<std::string>()).value();
    const Hash block = Hash::from_hex(golden_file()["blockHash"].get<std::string>()).value();
    Extra extra{era_of(entry["era"]), entry["nonce"], entry["tip"]};
    const SigningContext context{424, 1, genesis, extra.era == Era::immortal() ? genesis : block};
    const auto extensions = make_extensions(golden_424(), extra, context);
    ASSERT_TRUE(extensions);
    const Bytes call = unhex(entry["call"]);
    EXPECT_EQ(as_hex(payload_to_sign(call, *extensions)), text_in(entry["signed_bytes"]))
        << entry["name"];
    const auto made =
        assemble_extrinsic(golden_424(), decoded.signer->account, SignatureKind::kEd25519,
                           decoded.signer->signature, *extensions, call);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(*made, wire) << entry["name"];
    EXPECT_EQ(as_hex(extrinsic_hash(*made).bytes), text_in(entry["hash"])) << entry["name"];
  }
}

TEST(GoldenCalls, AnOlderRuntimeIsSpokenToByTheSameNames) {
  const auto call =
      encode_call(golden_293(), "SubtensorModule", "set_weights",
                  {{"netuid", 1}, {"dests", {2}}, {"weights", {3}}, {"version_key", 4}});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(common::to_hex(*call), "070001000402000403000400000000000000");
}

// -- what people write ----------------------------------------------------------------------------

std::string fault(std::string_view pallet, std::string_view call, const Json& arguments) {
  const auto made = encode_call(golden_424(), pallet, call, arguments);
  return made ? "accepted" : made.error().message;
}

testing::AssertionResult says(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

TEST(Calls, FaultsAreNamedByTheirPath) {
  const Json good = {{"netuid", 1}, {"dests", {2}}, {"weights", {3}}, {"version_key", 4}};
  EXPECT_EQ(fault("SubtensorModule", "set_weights", good), "accepted");
  const auto with = [&](const char* name, const Json& value) {
    Json changed = good;
    changed[name] = value;
    return fault("SubtensorModule", "set_weights", changed);
  };
  EXPECT_TRUE(
      says(with("dests", {1, 70'000}), "SubtensorModule.set_weights: dests[1]: 70000 is no u16"));
  EXPECT_TRUE(says(with("netuid", -1), "netuid: -1 is no u16"));
  EXPECT_TRUE(says(with("netuid", "x"), "netuid: \"x\" is no u16"));
  EXPECT_TRUE(says(with("version_key", 1.5), "1.5 is no u64"));
  EXPECT_TRUE(says(with("weights", 7), "weights: 7 is no Vec<u16>"));
  EXPECT_TRUE(says(with("versionkey", 1), "there is no 'versionkey': it has netuid, dests"));
  Json missing = good;
  missing.erase("weights");
  EXPECT_TRUE(
      says(fault("SubtensorModule", "set_weights", missing), "'weights' is missing: a Vec<u16>"));
  EXPECT_TRUE(says(fault("SubtensorModule", "set_weights", {1, {2}, {3}}), "has 4 parts, not 3"));
  EXPECT_EQ(fault("SubtensorModule", "set_weights", Json::array({1, {2}, {3}, 4})), "accepted");
  EXPECT_TRUE(says(fault("Subtensor", "x", {}), "no pallet 'Subtensor': there is SubtensorModule"));
  EXPECT_TRUE(says(fault("SubtensorModule", "setweights", {}), "there is set_weights"));
}

TEST(Calls, AddressesBytesAndOptionsAreReadAsPeopleWriteThem) {
  const std::string alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  const auto bytes = [](std::string_view pallet, std::string_view call, const Json& arguments) {
    const auto made = encode_call(golden_424(), pallet, call, arguments);
    return made ? common::to_hex(*made) : made.error().message;
  };
  const std::string expected =
      "050300d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d04";
  EXPECT_EQ(bytes("Balances", "transfer_keep_alive", {{"dest", alice}, {"value", 1}}), expected);
  EXPECT_EQ(bytes("Balances", "transfer_keep_alive", {{"dest", {{"Id", alice}}}, {"value", "1"}}),
            expected);
  EXPECT_EQ(bytes("System", "remark", {{"remark", "hi"}}), "0000086869");
  EXPECT_EQ(bytes("System", "remark", {{"remark", "0x6869"}}), "0000086869");
  EXPECT_TRUE(says(bytes("System", "remark", {{"remark", "0x686"}}), "is no hex"));
  EXPECT_TRUE(says(bytes("Balances", "transfer_keep_alive", {{"dest", "5Grw"}, {"value", 1}}),
                   "'5Grw' is none of"));
  EXPECT_TRUE(says(bytes("SubtensorModule", "add_stake",
                         {{"hotkey", "nobody"}, {"netuid", 1}, {"amount_staked", 1}}),
                   "hotkey: 'nobody' is no address"));
  EXPECT_TRUE(
      says(bytes("SubtensorModule", "commit_weights", {{"netuid", 1}, {"commit_hash", "0x00"}}),
           "is not 32 bytes"));
  // An option that is left out is None.
  EXPECT_EQ(bytes("SubtensorModule", "swap_hotkey",
                  {{"hotkey", alice}, {"new_hotkey", alice}, {"netuid", nullptr}}),
            bytes("SubtensorModule", "swap_hotkey", {{"hotkey", alice}, {"new_hotkey", alice}}));
  // A call within calls.
  const Json inner = {{"System", {{"remark", {{"remark", "hi"}}}}}};
  EXPECT_EQ(bytes("Utility", "batch", {{"calls", {inner, inner}}}), "0b000800000868690000086869");
}

// -- hand-made types ------------------------------------------------------------------------------

Metadata with_types(std::vector<Type> types) {
  Metadata metadata;
  metadata.types = std::move(types);
  return metadata;
}
Type type_of(TypeDef def, std::vector<std::string> path = {}) {
  return {std::move(path), {}, std::move(def)};
}

Json shown(const Metadata& metadata, TypeId type, const std::string& hex) {
  const auto value = decode_value(metadata, type, common::from_hex(hex).value(), "x");
  return value ? value->json() : Json(value.error().message);
}
void goes_both_ways(const Metadata& metadata, TypeId type, const std::string& hex,
                    const Json& json) {
  EXPECT_EQ(shown(metadata, type, hex), json) << hex;
  const auto bytes = encode_value(metadata, type, json, "x");
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(common::to_hex(*bytes), hex) << json;
}

TEST(Values, EachKindGoesBothWays) {
  const Metadata metadata = with_types({
      type_of(Primitive::kBool),                     // 0
      type_of(Primitive::kU8),                       // 1
      type_of(Primitive::kI32),                      // 2
      type_of(Primitive::kU128),                     // 3
      type_of(Primitive::kI128),                     // 4
      type_of(Primitive::kStr),                      // 5
      type_of(SequenceType{1}),                      // 6
      type_of(ArrayType{2, 2}),                      // 7
      type_of(TupleType{{0, 1}}),                    // 8
      type_of(CompactType{3}),                       // 9
      type_of(CompositeType{{{"a", 0}, {"b", 1}}}),  // 10
      type_of(VariantType{
          {{"No", {}, 3}, {"One", {{"", 1}}, 5}, {"Two", {{"x", 1}, {"y", 0}}, 7}}}),  // 11
      type_of(VariantType{{{"None", {}, 0}, {"Some", {{"", 1}}, 1}}}, {"Option"}),     // 12
      type_of(VariantType{{{"None", {}, 0}, {"Some", {{"", 12}}, 1}}}, {"Option"}),    // 13
      type_of(CompositeType{{{"", 15}}}, {"BTreeMap"}),                                // 14
      type_of(SequenceType{8}),                                                        // 15
      type_of(CompositeType{{{"", 3}}}, {"Wrapped"}),                                  // 16
      type_of(CompactType{16}),                                                        // 17
      type_of(TupleType{}),                                                            // 18
  });
  goes_both_ways(metadata, 0, "01", true);
  goes_both_ways(metadata, 2, "feffffff", -2);
  goes_both_ways(metadata, 2, "00000080", -2147483648LL);
  goes_both_ways(metadata, 3, "ffffffffffffffffffffffffffffffff",
                 "340282366920938463463374607431768211455");
  goes_both_ways(metadata, 4, "ffffffffffffffffffffffffffffffff", "-1");
  goes_both_ways(metadata, 5, "0c616263", "abc");
  goes_both_ways(metadata, 6, "080102", "0x0102");
  goes_both_ways(metadata, 7, "0100000002000000", {1, 2});
  goes_both_ways(metadata, 8, "0107", Json::array({true, 7}));
  goes_both_ways(metadata, 9, "04", "1");
  goes_both_ways(metadata, 17, "04", "1");
  goes_both_ways(metadata, 10, "0107", {{"a", true}, {"b", 7}});
  goes_both_ways(metadata, 11, "03", "No");
  goes_both_ways(metadata, 11, "0509", {{"One", 9}});
  goes_both_ways(metadata, 11, "070901", {{"Two", {{"x", 9}, {"y", true}}}});
  goes_both_ways(metadata, 12, "00", nullptr);
  goes_both_ways(metadata, 12, "0107", 7);
  goes_both_ways(metadata, 13, "0100", {{"Some", nullptr}});
  goes_both_ways(metadata, 13, "010107", 7);
  goes_both_ways(metadata, 14, "04010a", Json::array({Json::array({true, 10})}));
  goes_both_ways(metadata, 18, "", nullptr);
  EXPECT_EQ(shown(metadata, 11, "04"), "the node's value of x is malformed");
  EXPECT_EQ(shown(metadata, 0, "0100"), "the node's value of x has bytes left over");
  EXPECT_EQ(type_text(metadata, 8), "(bool, u8)");
  EXPECT_EQ(type_text(metadata, 7), "[i32; 2]");
}

TEST(Values, HostileLengthsAndDepthsEnd) {
  std::vector<Type> types = {
      type_of(TupleType{}),               // 0: nothing
      type_of(SequenceType{0}),           // 1: any number of nothings
      type_of(ArrayType{0xFFFFFFFF, 0}),  // 2: four billion nothings
      type_of(SequenceType{3}),           // 3: itself, for ever
      type_of(CompositeType{{{"", 4}}}),  // 4: itself
      type_of(CompactType{4}),            // 5
      type_of(BitSequenceType{0, 0}),     // 6: bits in nothing
      type_of(ArrayType{0xFFFFFFFF, 8}),  // 7
      type_of(Primitive::kU8),            // 8
  };
  // A tree that doubles at each of sixty levels.
  types.push_back(type_of(TupleType{{0, 0}}));
  for (TypeId level = 10; level < 70; ++level) {
    types.push_back(type_of(TupleType{{level - 1, level - 1}}));
  }
  const Metadata metadata = with_types(types);
  const std::string many = "feffffff";  // A compact of a billion.
  for (const TypeId type : {1u, 2u, 4u, 5u, 6u, 7u, 69u}) {
    EXPECT_EQ(shown(metadata, type, many + "ff"), "the node's value of x is malformed") << type;
  }
  EXPECT_EQ(shown(metadata, 3, std::string(400, '4').replace(0, 400, std::string(400, '0'))),
            "the node's value of x has bytes left over");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "04";
  EXPECT_EQ(shown(metadata, 3, deep + "00"), "the node's value of x is malformed");
  EXPECT_FALSE(encode_value(metadata, 4, 1, "x"));
  EXPECT_FALSE(encode_value(metadata, 5, 1, "x"));
  Json nested = Json::array();
  for (int i = 0; i < 90; ++i) nested = Json::array({nested});
  EXPECT_FALSE(encode_value(metadata, 3, nested, "x"));
  EXPECT_LT(type_text(metadata, 69).size(), 200u);
}

// -- storage by names -----------------------------------------------------------------------------

TEST(Stored, KeysAreMadeAndReadBack) {
  const Stored weights = find_stored(golden_424(), "SubtensorModule", "Weights").value();
  const Bytes key = stored_key(golden_424(), weights, Json::array({2, 1})).value();
  EXPECT_EQ(common::to_hex(key),
            "658faa385070e074c85bf6b568cf0555a1e7036061f484bc3048a64b64e35ec402000100");
  const auto parts = read_stored_key(golden_424(), weights, key);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->at(0)->number<uint16_t>(), 2);
  EXPECT_EQ(parts->at(1)->number<uint16_t>(), 1);
  const Bytes value = unhex("0x080300ff7f0400ffff");
  const auto read = read_stored(golden_424(), weights, value);
  EXPECT_EQ((*read)->json(), Json::array({Json::array({3, 32'767}), Json::array({4, 65'535})}));
  // All of subnet 2.
  const Bytes prefix = stored_key(golden_424(), weights, Json::array({2})).value();
  EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), key.begin()));
}

TEST(Stored, AKeyWhoseDigestIsAnothersIsRefused) {
  const Stored account = find_stored(golden_424(), "System", "Account").value();
  Bytes key = stored_key(golden_424(), account, Json::array({"0x" + std::string(64, '1')})).value();
  ASSERT_TRUE(read_stored_key(golden_424(), account, key));
  key[33] ^= 1;
  EXPECT_FALSE(read_stored_key(golden_424(), account, key));
  EXPECT_FALSE(read_stored_key(golden_424(), account, ByteView(key).first(40)));
  EXPECT_FALSE(read_stored_key(golden_424(), account, Bytes(100)));
}

TEST(Stored, DefaultsAreTheRuntimesOwn) {
  const auto value = [](const char* item) {
    const Stored stored = find_stored(golden_424(), "SubtensorModule", item).value();
    const auto read = read_stored(golden_424(), stored, std::nullopt).value();
    return read ? read->json() : Json("nothing");
  };
  EXPECT_EQ(value("Tempo"), 360);
  EXPECT_EQ(value("Kappa"), 32'767);
  EXPECT_EQ(value("Uids"), "nothing");
}

TEST(Stored, WrongNamesAndKeysAreExplained) {
  EXPECT_TRUE(says(find_stored(golden_424(), "SubtensorModule", "subnetwork_n").error().message,
                   "there is SubnetworkN"));
  const Stored weights = find_stored(golden_424(), "SubtensorModule", "Weights").value();
  EXPECT_TRUE(says(stored_key(golden_424(), weights, Json::array({1, 2, 3})).error().message,
                   "SubtensorModule.Weights has 2 keys (u16, u16), not 3"));
  EXPECT_TRUE(says(stored_key(golden_424(), weights, Json::array({1, "x"})).error().message,
                   "key 2: \"x\" is no u16"));
}

}  // namespace
}  // namespace chain::substrate
