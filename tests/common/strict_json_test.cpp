// Goal: a config says what it means, or an error says what is wrong, and where.
// Method: small objects with one fault each.
#include "common/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace common {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string trouble_of(std::string_view text) {
  const auto parsed = parse_json_object(text);
  return parsed ? "" : parsed.error().message;
}

TEST(ParseJsonObject, SaysLineAndColumn) {
  EXPECT_THAT(trouble_of("{\n  \"a\": 1,\n}"), HasSubstr("line 3, column 1"));
  EXPECT_THAT(trouble_of(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(trouble_of("[1]"), HasSubstr("line 1, column 1"));
  EXPECT_THAT(trouble_of("{} x"), HasSubstr("line 1, column 4"));
  EXPECT_EQ(trouble_of("{}"), "");
}

TEST(ParseJsonObject, RefusesAKeyThatStandsTwice) {
  EXPECT_THAT(trouble_of(R"({"a": 1, "b": {"c": 1, "c": 2}})"), HasSubstr("'c'"));
  EXPECT_EQ(trouble_of(R"({"a": 1, "b": {"a": 1}, "d": [{"a": 1}, {"a": 2}]})"), "");
}

TEST(ParseJsonObject, SurvivesNonsense) {
  EXPECT_NE(trouble_of(std::string(100'000, '[')), "");
  EXPECT_NE(trouble_of("{\"a\": \"\xff\"}"), "");
  EXPECT_NE(trouble_of("{\"a\": 1e999}"), "");
  EXPECT_NE(trouble_of("{\"a\": NaN}"), "");
}

TEST(DidYouMean, FindsTheNearestAndOnlyIfNear) {
  const std::vector<std::string_view> known = {"seal_block", "reveal_block", "netuid"};
  EXPECT_EQ(did_you_mean("seal_blok", known), "seal_block");
  EXPECT_EQ(did_you_mean("netiud", known), "netuid");
  EXPECT_EQ(did_you_mean("zebra", known), "");
  EXPECT_EQ(did_you_mean(std::string(1'000'000, 'a'), known), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(StrictObject, ReadsWhatIsThere) {
  const json object = json::parse(
      R"({"b": true, "u16": 65535, "u64": 18446744073709551615, "d": 1, "e": 0.5, "s": "x",
          "o": {"n": 1}})");
  StrictObject in(object, "");
  bool b = false;
  uint16_t u16 = 0;
  uint64_t u64 = 0;
  double d = 0;
  double e = 0;
  std::string s;
  uint32_t n = 0;
  uint32_t absent = 9;
  in.read("b", b);
  in.read("u16", u16);
  in.read("u64", u64);
  in.read("d", d);
  in.read("e", e);
  in.read("s", s);
  in.read_optional("absent", absent);
  StrictObject inside = in.child("o");
  inside.read("n", n);
  EXPECT_TRUE(in.finish());
  EXPECT_TRUE(inside.finish());
  EXPECT_TRUE(b);
  EXPECT_EQ(u16, 65535);
  EXPECT_EQ(u64, ~uint64_t{0});
  EXPECT_EQ(d, 1);
  EXPECT_EQ(e, 0.5);
  EXPECT_EQ(s, "x");
  EXPECT_EQ(n, 1u);
  EXPECT_EQ(absent, 9u);
}

// What `finish` says after one field of type T was read from {"k": <value>}.
template <typename T>
std::string trouble_reading(std::string_view value) {
  const json object = json::parse("{\"k\": " + std::string(value) + "}");
  StrictObject in(object, "part");
  T out{};
  in.read("k", out);
  const auto finished = in.finish();
  return finished ? "" : finished.error().message;
}

TEST(StrictObject, RefusesOtherTypesAndNamesTheField) {
  for (const char* const value : {"-1", "1.0", "1.5", "\"1\"", "true", "null", "65536", "1e3"}) {
    EXPECT_THAT(trouble_reading<uint16_t>(value), HasSubstr("part.k: should be a whole number"))
        << value;
  }
  EXPECT_NE(trouble_reading<uint64_t>("18446744073709551616"), "");
  EXPECT_THAT(trouble_reading<double>("\"1\""), HasSubstr("part.k: should be a number"));
  EXPECT_THAT(trouble_reading<bool>("1"), HasSubstr("true or false"));
  EXPECT_THAT(trouble_reading<std::string>("1"), HasSubstr("quotes"));
}

TEST(StrictObject, AMissingKeyIsNamed) {
  const json object = json::object();
  StrictObject in(object, "schedule");
  uint64_t out = 0;
  in.read("seal_block", out);
  EXPECT_THAT(in.finish().error().message, HasSubstr("schedule.seal_block: is missing"));
}

TEST(StrictObject, AnUnknownKeyIsMetWithTheNearestKnownOne) {
  const json object = json::parse(R"({"seal_blok": 1})");
  StrictObject in(object, "schedule");
  uint64_t out = 0;
  in.read("seal_block", out);
  EXPECT_EQ(in.finish().error().message,
            "unknown key 'seal_blok' in schedule: did you mean 'seal_block'?");
}

TEST(StrictObject, AChildThatIsAbsentOrNoObjectIsTrouble) {
  const json object = json::parse(R"({"a": 1})");
  StrictObject in(object, "");
  in.child("a");
  EXPECT_THAT(in.finish().error().message, HasSubstr("a: should be an object"));
  StrictObject other(object, "");
  StrictObject child = other.child("b");
  EXPECT_THAT(child.finish().error().message, HasSubstr("b: is missing"));
}

TEST(StrictObject, AnOptionalChildMayBeAbsent) {
  const json object = json::object();
  StrictObject in(object, "");
  StrictObject child = in.optional_child("b");
  EXPECT_TRUE(in.finish());
  EXPECT_TRUE(child.finish());
}

TEST(StrictObject, TheFirstTroubleIsTheOneReported) {
  const json object = json::object();
  StrictObject in(object, "");
  in.fail("a", "first");
  in.fail("b", "second");
  EXPECT_EQ(in.finish().error().message, "a: first");
}

}  // namespace
}  // namespace common
