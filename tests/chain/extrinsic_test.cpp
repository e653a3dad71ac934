// Goal: extrinsics are, byte for byte, what the chain's own programs make; nothing else is
// accepted. Method: 18 extrinsics that were made for spec 424 and accepted by polkadot-js
// (data/extrinsics.json), every truncation of each, one wrong byte in each part, and round trips of
// seeded random values.
#include "chain/substrate/extrinsic.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "chain/substrate/signing.h"
#include "common/files.h"
#include "tests/chain/golden_metadata.h"

namespace chain::substrate {
namespace {

using common::to_hex;

Bytes unhex(const std::string& text) { return common::from_hex(text).value(); }

struct Golden {
  std::string name;
  Bytes call, signed_bytes, wire;
  Hash hash;
};

const nlohmann::json& file() {
  static const auto json = [] {
    const auto path = std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/extrinsics.json";
    const Bytes bytes = common::read_file(path, 1 << 20).value();
    return nlohmann::json::parse(common::text_of(bytes));
  }();
  return json;
}

std::vector<Golden> goldens() {
  std::vector<Golden> out;
  for (const auto& entry : file().at("extrinsics")) {
    out.push_back({entry.at("name"), unhex(entry.at("call")), unhex(entry.at("signed_bytes")),
                   unhex(entry.at("ed25519_alice_extrinsic")),
                   Hash::from_hex(entry.at("hash").get<std::string>()).value()});
  }
  return out;
}

// The file's extrinsics are immortal: the birth block is the genesis.
SigningContext golden_context() {
  const Hash genesis = Hash::from_hex(file().at("genesisHash").get<std::string>()).value();
  return {424, 1, genesis, genesis};
}

TEST(Extrinsic, GoldenOnesAreTakenApartAndMadeAgainByteForByte) {
  ASSERT_EQ(goldens().size(), 18u);
  for (const Golden& golden : goldens()) {
    const auto decoded = decode_extrinsic(golden.wire);
    ASSERT_TRUE(decoded) << golden.name << ": " << decoded.error().message;
    ASSERT_TRUE(decoded->signer) << golden.name;
    EXPECT_EQ(decoded->call, golden.call) << golden.name;
    EXPECT_EQ(decoded->signer->extra.nonce, 0u) << golden.name;
    EXPECT_EQ(encode_extrinsic(*decoded), golden.wire) << golden.name;
    EXPECT_EQ(extrinsic_hash(golden.wire), golden.hash) << golden.name;
  }
}

TEST(Extrinsic, WhatIsSignedIsThePayloadOrItsHash) {
  bool saw_long = false;
  for (const Golden& golden : goldens()) {
    EXPECT_EQ(signing_bytes(golden.call, {}, golden_context()), golden.signed_bytes) << golden.name;
    saw_long |= golden.signed_bytes.size() == 32;
  }
  EXPECT_TRUE(saw_long);
}

TEST(Extrinsic, APayloadOfExactly256BytesIsSignedAsItIs) {
  const size_t around = signing_bytes(Bytes(2), {}, {}).size() - 2;
  EXPECT_EQ(signing_bytes(Bytes(256 - around), {}, {}).size(), 256u);
  EXPECT_EQ(signing_bytes(Bytes(257 - around), {}, {}).size(), 32u);
}

TEST(Extrinsic, GoldenSignaturesHoldAndOthersDoNot) {
  for (const Golden& golden : goldens()) {
    Extrinsic decoded = decode_extrinsic(golden.wire).value();
    EXPECT_TRUE(signature_holds(decoded, golden_context())) << golden.name;
    SigningContext other_chain = golden_context();
    other_chain.genesis.bytes[0] ^= 1;
    EXPECT_FALSE(signature_holds(decoded, other_chain)) << golden.name;
    decoded.signer->extra.tip = 1;
    EXPECT_FALSE(signature_holds(decoded, golden_context())) << golden.name;
  }
}

TEST(Extrinsic, EveryTruncationOfEveryGoldenOneIsRefused) {
  for (const Golden& golden : goldens()) {
    for (size_t size = 0; size < golden.wire.size(); ++size) {
      const ByteView cut = ByteView(golden.wire).first(size);
      ASSERT_FALSE(decode_extrinsic(cut)) << golden.name << " at " << size;
      // Even if the length is made right; then it is the call, at the latest, that does not decode.
      const ByteView body = cut.size() > 2 ? cut.subspan(2) : ByteView();
      const Bytes honest = Encoder().bytes(body).done();
      const auto decoded = decode_extrinsic(honest);
      if (!decoded) continue;
      const auto call = read_extrinsic(golden_424(), honest);
      ASSERT_FALSE(call) << golden.name << " at " << size;
    }
    Bytes longer = golden.wire;
    longer.push_back(0);
    EXPECT_FALSE(decode_extrinsic(longer)) << golden.name;
  }
}

// `golden` with the byte at `place` of its body changed, and what is said about it.
std::string said_about(size_t place, uint8_t byte) {
  Bytes wire = goldens().front().wire;
  wire.at(2 + place) = byte;
  const auto decoded = decode_extrinsic(wire);
  return decoded ? "accepted" : decoded.error().message;
}

TEST(Extrinsic, EachWrongPartIsNamed) {
  constexpr size_t kSignatureAt = 1 + 1 + 32;
  constexpr size_t kEraAt = kSignatureAt + 1 + 64;
  EXPECT_EQ(said_about(0, 0x84), "accepted");
  EXPECT_NE(said_about(0, 0x85).find("version byte 133"), std::string::npos);
  EXPECT_NE(said_about(0, 0x45).find("version byte 69"), std::string::npos);
  EXPECT_NE(said_about(1, 1).find("address"), std::string::npos);
  EXPECT_NE(said_about(kSignatureAt, 2).find("signature kind 2"), std::string::npos);
  EXPECT_NE(said_about(kEraAt, 0x10).find("CheckMortality"), std::string::npos);
  EXPECT_NE(said_about(kEraAt + 1, 0x01).find("CheckNonce"), std::string::npos);
  EXPECT_NE(said_about(kEraAt + 2, 0x01).find("ChargeTransactionPayment"), std::string::npos);
  EXPECT_NE(said_about(kEraAt + 3, 0x01).find("CheckMetadataHash"), std::string::npos);
}

TEST(Extrinsic, SignedByUsItHoldsAndABareOneHasNoSigner) {
  const Keypair alice = Keypair::from_uri("//Alice").value();
  const SigningContext context{1, 1, common::blake2b_256({}), common::blake2b_256({})};
  const Extra extra{Era::mortal(64, 1000), 7, 3};
  const Bytes call = encode_call(golden_424(), "SubtensorModule", "burned_register",
                                 {{"netuid", 3}, {"hotkey", alice.account().ss58()}})
                         .value();
  const auto decoded = decode_extrinsic(sign_extrinsic(alice, call, extra, context));
  ASSERT_TRUE(decoded && decoded->signer);
  EXPECT_EQ(decoded->signer->account, alice.account());
  EXPECT_EQ(decoded->signer->extra.nonce, 7u);
  EXPECT_EQ(decoded->signer->extra.tip, 3u);
  EXPECT_EQ(decoded->signer->extra.era, extra.era);
  EXPECT_TRUE(signature_holds(*decoded, context));

  const Bytes bare = encode_extrinsic(
      {std::nullopt, encode_call(golden_424(), "Timestamp", "set", {{"now", 1234}}).value()});
  const auto taken = decode_extrinsic(bare);
  ASSERT_TRUE(taken);
  EXPECT_FALSE(taken->signer);
  EXPECT_EQ(encode_extrinsic(*taken), bare);
}

TEST(Era, IsEncodedAsTheChainDoes) {
  EXPECT_EQ(to_hex(encode_era(Era::immortal())), "00");
  EXPECT_EQ(to_hex(encode_era(Era::mortal(64, 1000))), "8502");
  EXPECT_EQ(to_hex(encode_era(Era::mortal(8, 77))), "5200");
  EXPECT_EQ(to_hex(encode_era(Era::mortal(4096, 123'456))), "0b24");
}

TEST(Era, IsBornAtItsPhaseAndDiesAPeriodLater) {
  const Era era = Era::mortal(64, 1000);
  EXPECT_EQ(era.birth(1000), 1000u);
  EXPECT_EQ(era.birth(1063), 1000u);
  EXPECT_EQ(era.birth(1064), 1064u);
  EXPECT_EQ(era.death(1000), 1064u);
  EXPECT_EQ(Era::immortal().birth(5), 0u);
  // A period of 65,536 steps by 16 blocks: 1000 = 62 * 16 + 8 is born at 992.
  EXPECT_EQ(Era::mortal(65'536, 1000).birth(1000), 992u);
}

RC_GTEST_PROP(EraProperty, TwoBytesAreAnEraOrRefusedAndThereIsOneWayToWriteIt, ()) {
  const auto low = *rc::gen::arbitrary<uint8_t>();
  const auto high = *rc::gen::arbitrary<uint8_t>();
  const Bytes bytes = low == 0 ? Bytes{0} : Bytes{low, high};
  Decoder in(bytes);
  const Era era = decode_era(in);
  if (!in.ok()) return;
  RC_ASSERT(in.at_end());
  RC_ASSERT(encode_era(era) == bytes);
  RC_ASSERT(era.period == 0 || era.phase < era.period);
}

RC_GTEST_PROP(ExtrinsicProperty, WhatWasWrittenIsRead, (uint32_t nonce, uint64_t tip)) {
  Extrinsic made{Extrinsic::Signed{}, *rc::gen::container<Bytes>(rc::gen::arbitrary<uint8_t>())};
  made.call.insert(made.call.begin(), {7, 0});
  made.signer->extra = {Era::mortal(1u << *rc::gen::inRange(2, 17), nonce), nonce, tip};
  const auto read = decode_extrinsic(encode_extrinsic(made));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->call == made.call);
  RC_ASSERT(read->signer->extra.era == made.signer->extra.era);
  RC_ASSERT(read->signer->extra.nonce == nonce);
  RC_ASSERT(read->signer->extra.tip == tip);
}

RC_GTEST_PROP(ExtrinsicProperty, NoiseIsRefusedOrIsTheOneEncoding, ()) {
  Bytes noise = goldens().front().wire;
  const auto flips = *rc::gen::inRange(1, 4);
  for (int i = 0; i < flips; ++i) {
    noise[*rc::gen::inRange<size_t>(0, noise.size())] = *rc::gen::arbitrary<uint8_t>();
  }
  const auto read = decode_extrinsic(noise);
  if (read) RC_ASSERT(encode_extrinsic(*read) == noise);
}

}  // namespace
}  // namespace chain::substrate
