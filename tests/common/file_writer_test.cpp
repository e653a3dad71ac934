// Goal: a file written in pieces appears whole or not at all. Method: look at the folder at every
// step.
#include "common/file_writer.h"

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temp_folder.h"

namespace common {
namespace {

namespace fs = std::filesystem;

size_t count(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string text(const fs::path& file) {
  const auto bytes = read_file(file, 1000);
  return bytes ? std::string(text_of(*bytes)) : "none";
}

TEST(FileWriter, AppearsWholeAndLeavesNothingElse) {
  const tests::TempFolder folder;
  const fs::path file = folder / "a" / "b.bin";
  auto writer = FileWriter::create(file);
  ASSERT_TRUE(writer) << writer.error().message;
  ASSERT_TRUE(writer->append(view_of("one ")));
  ASSERT_TRUE(writer->append({}));
  EXPECT_FALSE(fs::exists(file));
  ASSERT_TRUE(writer->append(view_of("two")));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(text(file), "one two");
  EXPECT_EQ(count(folder / "a"), 1U);
}

TEST(FileWriter, WithoutACommitTheOldFileStands) {
  const tests::TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("old")));
  {
    auto writer = FileWriter::create(folder / "f");
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->append(view_of("new")));
  }
  EXPECT_EQ(text(folder / "f"), "old");
  EXPECT_EQ(count(folder.path()), 1U);
}

TEST(FileWriter, TwoOfOneNameDoNotMeet) {
  const tests::TempFolder folder;
  auto first = FileWriter::create(folder / "f");
  auto second = FileWriter::create(folder / "f");
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->append(view_of("first")) && second->append(view_of("second")));
  FileWriter moved = std::move(*first);
  ASSERT_TRUE(moved.commit());
  EXPECT_EQ(text(folder / "f"), "first");
  ASSERT_TRUE(second->commit());
  EXPECT_EQ(text(folder / "f"), "second");
}

TEST(FileWriter, PiecesMayComeInAnyOrder) {
  const tests::TempFolder folder;
  auto writer = FileWriter::create(folder / "f");
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->write_at(4, view_of("two")));
  ASSERT_TRUE(writer->write_at(0, view_of("one ")));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(text(folder / "f"), "one two");
}

TEST(FileWriter, LeftoversGoAndNothingElse) {
  const tests::TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("x")));
  ASSERT_TRUE(write_file(folder / ".tmp~stream-1-1", view_of("x")));
  ASSERT_TRUE(write_file(folder / ".tmp~1-1", view_of("x")));
  remove_leftovers(folder.path());
  EXPECT_EQ(count(folder.path()), 1U);
  EXPECT_EQ(text(folder / "f"), "x");
  remove_leftovers(folder / "nowhere");
}

TEST(FileWriter, APathThatCannotBeSaysSo) {
  const tests::TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("x")));
  EXPECT_FALSE(FileWriter::create(folder / "f" / "g"));
  EXPECT_EQ(FileWriter::create("").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace common
