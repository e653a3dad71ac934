// Goal: calls are written as the chain reads them, and only so are they read.
// Method: the calls of data/extrinsics.json typed by hand, each kind of commitment data, every
// truncation, and noise.
#include "chain/substrate/calls.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace chain::substrate {
namespace {

using common::Code;
using common::to_hex;

const AccountId kAlice =
    AccountId::from_ss58("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").value();
const AccountId kBob =
    AccountId::from_ss58("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty").value();

struct Known {
  Call call;
  std::string hex;
};
std::vector<Known> known_calls() {
  const std::string alice = to_hex(kAlice.bytes);
  return {
      {TransferKeepAlive{kBob, 123'456'789}, "050300" + to_hex(kBob.bytes) + "56346f1d"},
      {TransferAllowDeath{kBob, 123'456'789}, "050000" + to_hex(kBob.bytes) + "56346f1d"},
      {SetWeights{3, {0, 1, 65535}, {65535, 1, 300}, 42},
       "070003000c00000100ffff0cffff01002c012a00000000000000"},
      {BurnedRegister{3, kAlice}, "07070300" + alice},
      {AddStake{kAlice, 3, 5'000'000'000}, "0702" + alice + "030000f2052a01000000"},
      {RemoveStake{kAlice, 3, 1280}, "0703" + alice + "03000005000000000000"},
      {ServeAxon{3, 132, 0x01020304, 8091, 4, 4, 0, 0},
       "0704030084000000040302010000000000000000000000009b1f04040000"},
      {SetCommitment{3, {Data::of(common::view_of("hello"))}}, "12000300040668656c6c6f"},
      {Remark{{0x5a, 0x5a}}, "0000085a5a"},
      {SetTimestamp{1'000}, "0200a10f"},
  };
}

TEST(Calls, AreWrittenAndReadAsTheChainDoes) {
  for (const Known& known : known_calls()) {
    EXPECT_EQ(to_hex(encode_call(known.call)), known.hex) << name(known.call);
    const auto read = decode_call(*common::from_hex(known.hex));
    ASSERT_TRUE(read) << name(known.call) << ": " << read.error().message;
    EXPECT_EQ(*read, known.call) << name(known.call);
  }
}

TEST(Calls, EveryTruncationAndEveryTrailingByteIsRefusedByName) {
  for (const Known& known : known_calls()) {
    Bytes bytes = *common::from_hex(known.hex);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_call(ByteView(bytes).first(size))) << name(known.call) << " at " << size;
    }
    bytes.push_back(0);
    const auto read = decode_call(bytes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
    EXPECT_EQ(read.error().message, std::string(name(known.call)) + ": bytes are left over");
  }
}

TEST(Calls, AnUnknownOneIsNotFound) {
  const Bytes unknown = {7, 96, 3, 0};  // commit_weights
  EXPECT_EQ(decode_call(unknown).error().code, Code::kNotFound);
}

TEST(Calls, AnotherRuntimeMayNumberThemOtherwise) {
  CallIndices moved = kMainnetCalls;
  moved.of[0] = {200, 9};
  const Bytes bytes = encode_call(Remark{{1}}, moved);
  EXPECT_EQ(to_hex(bytes), "c8090401");
  EXPECT_EQ(decode_call(bytes, moved).value(), Call(Remark{{1}}));
  EXPECT_EQ(decode_call(bytes).error().code, Code::kNotFound);
}

TEST(Calls, NumbersAreAllDifferent) {
  for (size_t i = 0; i < kMainnetCalls.of.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(kMainnetCalls.of[i], kMainnetCalls.of[j]);
  }
}

TEST(CommitmentData, EachKindIsOneEncoding) {
  const Bytes digest(32, 0xAB);
  const std::vector<std::pair<Data, std::string>> kinds = {
      {{DataKind::kNone, {}, 0}, "00"},
      {{DataKind::kRaw, {}, 0}, "01"},
      {{DataKind::kRaw, Bytes(128, 1), 0}, "81" + to_hex(Bytes(128, 1))},
      {{DataKind::kBlakeTwo256, digest, 0}, "82" + to_hex(digest)},
      {{DataKind::kShaThree256, digest, 0}, "85" + to_hex(digest)},
      {{DataKind::kTimelock, {7}, 1000}, "860407e803000000000000"},
      {{DataKind::kResetBonds, {}, 0}, "87"},
      {{DataKind::kBigRaw, Bytes(129, 2), 0}, "880502" + to_hex(Bytes(129, 2))},
  };
  for (const auto& [data, hex] : kinds) {
    Encoder out;
    encode_data(out, data);
    EXPECT_EQ(to_hex(out.done()), hex);
    Decoder in(out.done());
    EXPECT_EQ(decode_data(in), data);
    EXPECT_TRUE(in.at_end()) << hex;
  }
}

TEST(CommitmentData, PicksRawUpTo128BytesAndBigRawAbove) {
  EXPECT_EQ(Data::of(Bytes(128)).kind, DataKind::kRaw);
  EXPECT_EQ(Data::of(Bytes(129)).kind, DataKind::kBigRaw);
}

TEST(CommitmentData, UnknownKindsTooLongOnesAndAFourthFieldAreRefused) {
  for (const char* hex : {"89", "ff", "88050801", "820102"}) {
    const Bytes bytes = *common::from_hex(hex);
    Decoder in(bytes);
    decode_data(in);
    EXPECT_FALSE(in.ok()) << hex;
  }
  const Bytes too_long = Encoder().number(uint8_t{136}).bytes(Bytes(513)).done();
  Decoder in(too_long);
  decode_data(in);
  EXPECT_FALSE(in.ok());
  const Call four = SetCommitment{1, {Data{}, Data{}, Data{}, Data{}}};
  EXPECT_FALSE(decode_call(encode_call(four)));
}

RC_GTEST_PROP(CallsProperty, NoiseIsRefusedOrIsTheOneEncoding, ()) {
  const auto calls = known_calls();
  Bytes noise = *common::from_hex(calls[*rc::gen::inRange<size_t>(0, calls.size())].hex);
  const auto flips = *rc::gen::inRange(1, 4);
  for (int i = 0; i < flips; ++i) {
    noise[*rc::gen::inRange<size_t>(2, noise.size())] = *rc::gen::arbitrary<uint8_t>();
  }
  const auto read = decode_call(noise);
  if (read) RC_ASSERT(encode_call(*read) == noise);
}

}  // namespace
}  // namespace chain::substrate
