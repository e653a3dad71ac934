// Goal: SCALE is written one way, and only that way is read.
// Method: the encodings of the format's own documentation, the edges of every compact form, hostile
// lengths, and round trips of seeded random values.
#include "chain/substrate/scale.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace chain::substrate {
namespace {

using common::from_hex;
using common::to_hex;

std::string compact_hex(Uint128 value) { return to_hex(Encoder().compact(value).done()); }

// What a decoder makes of a compact, or nothing.
std::optional<Uint128> read_compact(std::string_view hex) {
  const Bytes bytes = from_hex(hex).value();
  Decoder in(bytes);
  const Uint128 value = in.compact128();
  if (!in.at_end()) return std::nullopt;
  return value;
}

TEST(Scale, CompactsAreAsDocumented) {
  EXPECT_EQ(compact_hex(0), "00");
  EXPECT_EQ(compact_hex(1), "04");
  EXPECT_EQ(compact_hex(42), "a8");
  EXPECT_EQ(compact_hex(69), "1501");
  EXPECT_EQ(compact_hex(65535), "feff0300");
  EXPECT_EQ(compact_hex(100'000'000'000'000), "0b00407a10f35a");
}

TEST(Scale, EachCompactFormEndsWhereTheNextBegins) {
  EXPECT_EQ(compact_hex(63), "fc");
  EXPECT_EQ(compact_hex(64), "0101");
  EXPECT_EQ(compact_hex((1 << 14) - 1), "fdff");
  EXPECT_EQ(compact_hex(1 << 14), "02000100");
  EXPECT_EQ(compact_hex((1u << 30) - 1), "feffffff");
  EXPECT_EQ(compact_hex(1u << 30), "0300000040");
  EXPECT_EQ(compact_hex(std::numeric_limits<uint64_t>::max()), "13ffffffffffffffff");
  EXPECT_EQ(compact_hex(~Uint128{0}), "33" + std::string(32, 'f'));
}

TEST(Scale, ACompactThatCouldBeShorterIsRefused) {
  for (const char* hex : {"0100", "fd00", "02000000", "feff0000", "0300000000", "03ffffff3f",
                          "070000004000", "13ffffffffffffff00"}) {
    EXPECT_FALSE(read_compact(hex)) << hex;
  }
}

TEST(Scale, ACompactOverItsTypeIsRefused) {
  const Bytes over = Encoder().compact(65536).done();
  Decoder in(over);
  EXPECT_EQ(in.compact<uint16_t>(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_FALSE(read_compact("37" + std::string(34, 'f')));  // 17 bytes fit no number here.
}

TEST(Scale, HostileLengthsAskForNoMemory) {
  // Four gigabytes are announced, three bytes are there.
  const Bytes hostile = from_hex("03ffffffff010203").value();
  Decoder bytes(hostile);
  EXPECT_TRUE(bytes.bytes(std::numeric_limits<size_t>::max()).empty());
  EXPECT_FALSE(bytes.ok());
  Decoder numbers(hostile);
  EXPECT_TRUE(numbers.numbers<uint64_t>(std::numeric_limits<size_t>::max()).empty());
  EXPECT_FALSE(numbers.ok());
  // Two items fit the bytes but not the bound.
  const Bytes two = Encoder().numbers(std::vector<uint8_t>{1, 2}).done();
  Decoder bounded(two);
  EXPECT_TRUE(bounded.numbers<uint8_t>(1).empty());
  EXPECT_FALSE(bounded.ok());
}

TEST(Scale, BoolsAndOptionsAreZeroOrOne) {
  const Bytes two = {2};
  Decoder in(two);
  in.number<bool>();
  EXPECT_FALSE(in.ok());
  Decoder option(two);
  option.option([](Decoder& from) { return from.number<uint8_t>(); });
  EXPECT_FALSE(option.ok());
}

TEST(Scale, AFailedReadStaysFailedAndYieldsZeros) {
  const Bytes one = {7};
  Decoder in(one);
  EXPECT_EQ(in.number<uint32_t>(), 0u);
  EXPECT_EQ(in.number<uint8_t>(), 0);
  EXPECT_EQ(in.account(), AccountId{});
  EXPECT_FALSE(in.at_end());
}

TEST(Scale, TrailingBytesAreSeen) {
  const Bytes bytes = {1, 2};
  Decoder in(bytes);
  in.number<uint8_t>();
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.at_end());
}

RC_GTEST_PROP(ScaleProperty, WhatWasWrittenIsRead, (const std::vector<uint16_t>& numbers)) {
  const auto low = *rc::gen::arbitrary<uint64_t>();
  const auto shift = *rc::gen::inRange(0, 127);
  const Uint128 wide = static_cast<Uint128>(low) << shift;
  const auto text = *rc::gen::arbitrary<std::string>();
  const auto maybe = *rc::gen::arbitrary<bool>() ? std::optional<uint32_t>(7) : std::nullopt;
  Encoder out;
  out.compact(wide).numbers(numbers).text(text).number128(wide);
  out.option(maybe, [](Encoder& to, uint32_t value) { to.number(value); });
  Decoder in(out.done());
  RC_ASSERT(in.compact128() == wide);
  RC_ASSERT(in.numbers<uint16_t>(1 << 16) == numbers);
  RC_ASSERT(in.text(1 << 16) == text);
  RC_ASSERT(in.number128() == wide);
  RC_ASSERT(in.option([](Decoder& from) { return from.number<uint32_t>(); }) == maybe);
  RC_ASSERT(in.at_end());
}

RC_GTEST_PROP(ScaleProperty, EveryCompactThatIsReadIsTheOneThatIsWritten, ()) {
  const auto bytes = *rc::gen::arbitrary<Bytes>();
  Decoder in(bytes);
  const Uint128 value = in.compact128();
  if (!in.ok()) return;
  const Bytes again = Encoder().compact(value).done();
  RC_ASSERT(again == Bytes(bytes.begin(), bytes.end() - static_cast<long>(in.remaining())));
}

}  // namespace
}  // namespace chain::substrate
