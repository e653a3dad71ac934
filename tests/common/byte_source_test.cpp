// Goal: ranges of a source are the bytes that lie there, or an error. Method: against the whole, in
// memory and in a file; a file that is cut while it is read.
#include "common/byte_source.h"

#include <gtest/gtest.h>

#include "common/byte_sink.h"
#include "common/files.h"
#include "tests/temp_folder.h"

namespace common {
namespace {

namespace fs = std::filesystem;

Bytes text_of(size_t size) {
  Bytes text(size);
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<uint8_t>(i * 7 + i / 256);
  return text;
}

void expect_every_range(const ByteSource& source, ByteView text) {
  ASSERT_EQ(source.size(), text.size());
  for (size_t first = 0; first <= text.size(); first += 13) {
    for (size_t size = 0; size <= text.size() - first; size += 29) {
      Bytes out(size, 0xAA);
      ASSERT_TRUE(source.read(first, out));
      ASSERT_TRUE(std::ranges::equal(out, text.subspan(first, size))) << first << " " << size;
    }
  }
}

TEST(ByteSource, EveryRangeOfAMemoryAndOfAFile) {
  const tests::TempFolder folder;
  for (const size_t size : {0, 1, 500}) {
    const Bytes text = text_of(size);
    expect_every_range(MemorySource(text), text);
    ASSERT_TRUE(write_file(folder / "f", text));
    auto file = FileSource::open(folder / "f");
    ASSERT_TRUE(file) << file.error().message;
    const FileSource moved = std::move(*file);
    expect_every_range(moved, text);
    EXPECT_EQ(*read_all(moved, size), text);
  }
}

TEST(ByteSource, AFileThatIsCutWhileItIsReadIsAnError) {
  const tests::TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", text_of(100)));
  const auto file = FileSource::open(folder / "f");
  ASSERT_TRUE(file);
  fs::resize_file(folder / "f", 40);
  Bytes out(50);
  EXPECT_TRUE(file->read(0, std::span(out).first(40)));
  const auto read = file->read(0, out);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  EXPECT_NE(read.error().message.find("cut short to 40 bytes"), std::string::npos);
}

TEST(ByteSource, WhatIsNoFileSaysSo) {
  const tests::TempFolder folder;
  EXPECT_EQ(FileSource::open(folder / "none").error().code, Code::kNotFound);
  EXPECT_EQ(FileSource::open(folder.path()).error().code, Code::kInvalidArgument);
}

TEST(ByteSource, TheWholeIsBoundedBeforeItIsRead) {
  class Endless final : public ByteSource {
   public:
    uint64_t size() const override { return ~uint64_t{0}; }
    Result<void> read(uint64_t, std::span<uint8_t>) const override { return {}; }
  };
  EXPECT_EQ(read_all(Endless(), 1 << 20).error().code, Code::kExhausted);
}

TEST(MemorySinkTest, HoldsWhatCameInItsOrder) {
  MemorySink sink;
  for (const std::string_view piece : {"one ", "", "two"}) {
    ASSERT_TRUE(sink.append(view_of(piece)));
  }
  EXPECT_EQ(common::text_of(sink.bytes()), "one two");
}

}  // namespace
}  // namespace common
