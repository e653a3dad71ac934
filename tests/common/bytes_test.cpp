// Goal: what is written is read back, and no reader ever looks past the end.
// Method: small buffers written out byte by byte; random round trips; every truncation of one
// encoding.
#include "common/bytes.h"

#include <gtest/gtest.h>

#include "common/philox.h"

namespace common {
namespace {

TEST(ByteWriter, NumbersAreLittleEndianAndSizedHasAFourByteLength) {
  const Bytes bytes =
      ByteWriter().number(uint16_t{0x0102}).number(uint32_t{7}).sized(view_of("ab")).bytes();
  EXPECT_EQ(bytes, (Bytes{2, 1, 7, 0, 0, 0, 2, 0, 0, 0, 'a', 'b'}));
}

TEST(ByteReader, ReadsBackWhatWasWritten) {
  Philox random(uint64_t{1});
  for (int round = 0; round < 100; ++round) {
    const uint64_t number = random.next64();
    const double real = random.normal();
    Bytes body(random.below(20));
    for (uint8_t& byte : body) byte = static_cast<uint8_t>(random.next32());
    const Bytes bytes = ByteWriter().number(number).number(real).sized(body).bytes();
    ByteReader reader(bytes);
    EXPECT_EQ(reader.number<uint64_t>(), number);
    EXPECT_EQ(reader.number<double>(), real);
    const ByteView read = reader.sized(body.size());
    EXPECT_EQ(Bytes(read.begin(), read.end()), body);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(ByteReader, EveryTruncationFailsAndYieldsZeros) {
  const Bytes whole = ByteWriter().number(uint32_t{9}).sized(view_of("body")).bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    ByteReader reader(ByteView(whole).first(size));
    const auto number = reader.number<uint32_t>();
    const ByteView body = reader.sized(100);
    EXPECT_FALSE(reader.at_end()) << size;
    EXPECT_EQ(number, size < 4 ? 0u : 9u);
    EXPECT_TRUE(body.empty());
  }
}

TEST(ByteReader, ALengthOverTheLimitFailsAndStaysFailed) {
  const Bytes bytes = ByteWriter().sized(view_of("abcd")).number(uint8_t{1}).bytes();
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.sized(3).empty());
  EXPECT_EQ(reader.number<uint8_t>(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, BytesLeftOverAreNotTheEnd) {
  const Bytes bytes = {1, 2};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.number<uint8_t>(), 1);
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.remaining(), 1u);
}

TEST(ByteReader, ADecoderMayFailTheWholeReading) {
  ByteReader reader(ByteView{});
  EXPECT_TRUE(reader.at_end());
  reader.fail();
  EXPECT_FALSE(reader.at_end());
}

TEST(ByteReader, AShortArrayIsZerosAndAFailure) {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.array<4>(), (std::array<uint8_t, 4>{}));
  EXPECT_FALSE(reader.ok());
}

TEST(Hex, WritesLowerCaseAndReadsEitherCaseWithOrWithoutPrefix) {
  EXPECT_EQ(to_hex(Bytes{0x0a, 0xff}), "0aff");
  EXPECT_EQ(from_hex("0aFf"), (Bytes{0x0a, 0xff}));
  EXPECT_EQ(from_hex("0x0aff"), (Bytes{0x0a, 0xff}));
  EXPECT_EQ(from_hex(""), Bytes{});
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  for (const char* const text : {"a", "0x1", "0g", "1 ", "0x0x12", "--"}) {
    EXPECT_FALSE(from_hex(text)) << text;
  }
}

}  // namespace
}  // namespace common
