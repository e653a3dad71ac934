// Goal: a block's events are written in the chain's layout, read back, and stepped over where not
// needed. Method: layouts by hand from the tables of spec 424, round trips, truncations, noise.
#include "chain/substrate/events.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "chain/substrate/dispatch_error.h"

namespace chain::substrate {
namespace {

using common::to_hex;

const AccountId kOnes{{1, 1, 1}};
const AccountId kTwos{{2, 2, 2}};

std::vector<EventRecord> one_of_each() {
  const DispatchInfo info{1'000, 0, 0, false};
  return {
      {0, ExtrinsicSuccess{{500, 1, 2, true}}},
      {1, Transferred{kOnes, kTwos, 5}},
      {1, StakeAdded{kOnes, kTwos, 6, 7, 3, 8}},
      {1, StakeRemoved{kOnes, kTwos, 6, 7, 3, 8}},
      {1, NeuronRegistered{3, 4, kTwos}},
      {1, WeightsSet{3, 4}},
      {1, AxonServed{3, kTwos}},
      {1, CommitmentSet{3, kTwos}},
      {1, OtherEvent{5, 8, Encoder().account(kOnes).number(uint64_t{9}).done()}, {Hash{}}},
      {1, ExtrinsicFailed{DispatchError::module(7, 29), info}},
      {2, ExtrinsicFailed{{DispatchError::kToken, 0, 0, 1}, info}},
      {2, ExtrinsicFailed{{DispatchError::kBadOrigin, 0, 0, 0}, info}},
      {std::nullopt, OtherEvent{26, 1, Encoder().numbers(std::vector<uint64_t>{1, 2}).done()}},
      {std::nullopt, OtherEvent{7, 1, {3, 0}}, {}, true},
  };
}

TEST(Events, StandInTheChainsLayout) {
  // Count 1; phase ApplyExtrinsic(2); pallet 7, event 6; netuid 3, uid 4, the hotkey; no topics.
  EXPECT_EQ(to_hex(encode_events({{2, NeuronRegistered{3, 4, kTwos}}})),
            "04"
            "0002000000"
            "0706"
            "03000400" +
                to_hex(kTwos.bytes) + "00");
  // Module(7, [29, 0, 0, 0]); weight 1000 and 0, normal, Pays::No.
  EXPECT_EQ(to_hex(encode_events(
                {{0, ExtrinsicFailed{DispatchError::module(7, 29), {1000, 0, 0, false}}}})),
            "04"
            "0000000000"
            "0001"
            "03071d000000"
            "a10f00"
            "0001"
            "00");
}

TEST(Events, WhatWasWrittenIsRead) {
  const auto events = one_of_each();
  const auto read = decode_events(encode_events(events));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, events);
}

TEST(Events, EveryTruncationAndEveryTrailingByteIsRefused) {
  Bytes bytes = encode_events(one_of_each());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_events(ByteView(bytes).first(size))) << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(decode_events(bytes));
}

TEST(Events, AnUnknownLayoutIsNamedOrEndsThePrefix) {
  auto events = one_of_each();
  events.insert(events.begin() + 2, {1, OtherEvent{250, 3, {1}}});
  const Bytes bytes = encode_events(events);
  const auto read = decode_events(bytes);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("event 250.3"), std::string::npos);
  const auto prefix = decode_events(bytes, /*prefix_ok=*/true);
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->size(), 2u);
}

RC_GTEST_PROP(EventsProperty, NoiseIsRefusedOrStable, ()) {
  Bytes noise = encode_events(one_of_each());
  for (int i = 0; i < 3; ++i) {
    noise[*rc::gen::inRange<size_t>(0, noise.size())] = *rc::gen::arbitrary<uint8_t>();
  }
  const auto read = decode_events(noise);
  if (read) RC_ASSERT(decode_events(encode_events(*read)).value() == *read);
}

TEST(DispatchErrors, AreNamedAndExplained) {
  EXPECT_EQ(module_error_name(7, 29), "SettingWeightsTooFast");
  EXPECT_EQ(module_error_name(7, 146), "AccountRejectsLockedAlpha");
  EXPECT_EQ(module_error_name(18, 1), "AccountNotAllowedCommit");
  EXPECT_EQ(module_error_name(7, 147), "");
  EXPECT_EQ(module_error_name(99, 0), "");
  EXPECT_EQ(module_error_index(7, "SettingWeightsTooFast"), 29);
  EXPECT_FALSE(module_error_index(7, "Nonsense"));
  EXPECT_TRUE(
      explain(DispatchError::module(7, 15))
          .starts_with("SubtensorModule.NeuronNoValidatorPermit: weights are for validators"));
  EXPECT_EQ(explain(DispatchError::module(99, 3)), "error 3 of pallet 99");
  EXPECT_TRUE(explain({DispatchError::kBadOrigin, 0, 0, 0}).starts_with("BadOrigin"));
  EXPECT_TRUE(explain_custom(10).starts_with("the hotkey is not registered"));
  EXPECT_EQ(explain_custom(200), "the chain's check number 200 failed");
}

}  // namespace
}  // namespace chain::substrate
