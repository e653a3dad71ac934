// Goal: files larger than memory are read and written tensor by tensor, to the bit, and a file that
// breaks the format's rules is refused by the tensor's name. Method: there and back; a reader of
// the book (golden/make_hf_golden.py) wrote hf_small; headers with one thing wrong each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "train/safetensors.h"

namespace train {
namespace {

using common::Code;
using nlohmann::json;
using testing::HasSubstr;

class SafetensorsFileTest : public testing::Test {
 protected:
  // A file of this header and so many bytes of tensors.
  std::filesystem::path file(const std::string& header, size_t body) {
    common::ByteWriter out;
    out.number(uint64_t{header.size()}).raw(common::view_of(header));
    out.raw(common::Bytes(body));
    CHECK(common::write_file(temp_ / "f", out.bytes()).has_value());
    return temp_ / "f";
  }
  std::string refusal(const json& header, size_t body) {
    const auto opened = SafetensorsFile::open(file(header.dump(), body));
    if (opened) return "";
    EXPECT_EQ(opened.error().code, Code::kCorrupt);
    return opened.error().message;
  }
  static json entry(const char* dtype, const json& shape, uint64_t begin, uint64_t end) {
    return {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, end}}};
  }
  tests::TempFolder temp_;
};

TEST_F(SafetensorsFileTest, WhatIsWrittenReadsBack) {
  std::vector<float> a(100'000);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 200) - 100;
  const std::vector<float> b = {0.5F};
  {
    auto writer = SafetensorsWriter::create(
        temp_ / "f", {{"a", Dtype::kBf16, {1000, 100}, 0}, {"b", Dtype::kF32, {}, 0}});
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(writer->append(a));
    ASSERT_TRUE(writer->append(b));
    ASSERT_TRUE(writer->commit());
  }
  const auto opened = SafetensorsFile::open(temp_ / "f");
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_EQ(opened->tensors().size(), 2U);
  EXPECT_EQ(opened->tensors()[0].dtype, Dtype::kBf16);
  EXPECT_EQ(opened->tensors()[0].shape, (std::vector<uint64_t>{1000, 100}));
  EXPECT_EQ(opened->tensors()[1].begin, 200'000U);
  std::vector<float> read(a.size());
  ASSERT_TRUE(opened->read(opened->tensors()[0], read));
  EXPECT_EQ(read, a);  // Small whole numbers fit into 8 bits.
  read.resize(1);
  ASSERT_TRUE(opened->read(opened->tensors()[1], read));
  EXPECT_EQ(read, b);
}

TEST_F(SafetensorsFileTest, NotFiniteIsRefusedByName) {
  {
    auto writer =
        SafetensorsWriter::create(temp_ / "f", {{"the.weight", Dtype::kF16, {2}, 0}}).value();
    ASSERT_TRUE(writer.append(std::vector<float>{1, INFINITY}));
    ASSERT_TRUE(writer.commit());
  }
  const auto opened = SafetensorsFile::open(temp_ / "f").value();
  std::vector<float> read(2);
  const auto done = opened.read(opened.tensors()[0], read);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("the.weight holds NaN or infinity"));
}

TEST_F(SafetensorsFileTest, HostileHeadersAreRefusedByName) {
  EXPECT_EQ(refusal({{"a", entry("BF16", {2, 3}, 0, 12)}}, 12), "");
  EXPECT_THAT(refusal({{"a", entry("I8", {12}, 0, 12)}}, 12), HasSubstr("a is of type I8"));
  EXPECT_THAT(refusal({{"a", entry("F16", {2, 3}, 0, 11)}}, 11), HasSubstr("a has another size"));
  EXPECT_THAT(refusal({{"a", entry("F16", {0}, 0, 0)}}, 0), HasSubstr("a has another size"));
  EXPECT_THAT(refusal({{"a", entry("F16", {1ULL << 40, 1ULL << 40}, 0, 12)}}, 12),
              HasSubstr("a has another size"));
  EXPECT_THAT(refusal({{"a", entry("F16", {-1}, 0, 2)}}, 2), HasSubstr("a has no shape"));
  EXPECT_THAT(refusal({{"a", entry("F16", {1, 1, 1, 1, 1, 1, 1, 1, 1}, 0, 2)}}, 2),
              HasSubstr("a has no shape"));
  EXPECT_THAT(refusal({{"a", entry("F16", {1}, 0, 2)}, {"b", entry("F16", {1}, 1, 3)}}, 3),
              HasSubstr("b overlaps"));
  EXPECT_THAT(refusal({{"a", entry("F16", {1}, 0, 2)}, {"b", entry("F16", {1}, 4, 6)}}, 6),
              HasSubstr("no tensor's before b"));
  EXPECT_THAT(refusal({{"a", entry("F16", {1}, 0, 2)}}, 3), HasSubstr("at the end"));
  EXPECT_THAT(refusal({{"a", entry("F16", {1}, 0, 2)}}, 1), HasSubstr("a lies outside"));
  EXPECT_THAT(refusal({{"", entry("F16", {1}, 0, 2)}}, 2), HasSubstr("name"));
  EXPECT_THAT(refusal({{"__metadata__", {{"x", 5}}}}, 0), HasSubstr("__metadata__"));
  json more = {{"a", entry("F16", {1}, 0, 2)}};
  more["a"]["extra"] = 1;
  EXPECT_THAT(refusal(more, 2), HasSubstr("other fields"));
}

TEST_F(SafetensorsFileTest, WhatIsNoFileSaysSo) {
  EXPECT_EQ(SafetensorsFile::open(temp_ / "none").error().code, Code::kNotFound);
  ASSERT_TRUE(common::write_file(temp_ / "empty", {}));
  EXPECT_EQ(SafetensorsFile::open(temp_ / "empty").error().code, Code::kCorrupt);
  // A length that would need 16 EiB.
  common::ByteWriter out;
  ASSERT_TRUE(common::write_file(temp_ / "long", out.number(~uint64_t{0}).bytes()));
  EXPECT_EQ(SafetensorsFile::open(temp_ / "long").error().code, Code::kCorrupt);
  EXPECT_FALSE(SafetensorsFile::open(temp_.path()));
}

}  // namespace
}  // namespace train
