// Goal: text files become documents at the right places, whole, as valid UTF-8, in bounded pieces.
// Method: files written by hand; the documents against a reader by lines (slow and obvious); the
// replaced bytes against the examples of the Unicode Standard 15, section 3.9, table 3-8.
#include "train/text_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/train/data_folder.h"

namespace {

using common::Code;
using testing::ElementsAre;
using testing::HasSubstr;
using train::TextReader;
namespace fs = std::filesystem;

std::vector<std::string> documents_of(const std::vector<fs::path>& files) {
  auto reader = TextReader::open(files);
  CHECK(reader.has_value());
  std::vector<std::string> documents;
  std::string document;
  while (true) {
    auto piece = reader->next();
    CHECK(piece.has_value());
    if (!piece->has_value()) break;
    CHECK(!(**piece).text.empty());
    document += (**piece).text;
    if ((**piece).document_ends) documents.push_back(std::exchange(document, {}));
  }
  CHECK(document.empty());
  EXPECT_EQ(reader->bytes_read(), reader->bytes_total());
  return documents;
}

std::vector<std::string> documents_of(std::string_view text) {
  const DataFolder folder;
  folder.write("a.txt", text);
  return documents_of(std::vector{folder.path() / "a.txt"});
}

TEST(TextReader, ADocumentEndsAtALineWithAFormFeed) {
  EXPECT_THAT(documents_of("one\n\f\ntwo\n\f\nthree"), ElementsAre("one\n", "two\n", "three"));
  EXPECT_THAT(documents_of("\f\none\n\f"), ElementsAre("one\n"));
  EXPECT_THAT(documents_of("one\n\f\n\f\n\f\ntwo\n\f\n"), ElementsAre("one\n", "two\n"));
}

TEST(TextReader, AFormFeedWithinALineIsText) {
  EXPECT_THAT(documents_of("one\f\ntwo\n\fthree\n \f\n"),
              ElementsAre("one\f\ntwo\n\fthree\n \f\n"));
}

TEST(TextReader, FilesEndDocumentsAndEmptyOnesAreNone) {
  const DataFolder folder;
  folder.write("a.txt", "one");
  folder.write("b.txt", "");
  folder.write("c.txt", "two");
  EXPECT_THAT(documents_of({folder.path() / "a.txt", folder.path() / "b.txt",
                            folder.path() / "c.txt", folder.path() / "a.txt"}),
              ElementsAre("one", "two", "one"));
}

TEST(TextReader, SplitsWhatAReaderByLinesSplits) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    std::vector<std::string> expected = {""};
    const auto line_count = random() % 6;
    for (size_t i = 0; i < line_count; ++i) {
      const std::string line =
          std::array<std::string, 5>{"\f", "", "a\f", "word", "\f\f"}[random() % 5];
      const std::string end = i + 1 < line_count || random() % 2 == 0 ? "\n" : "";
      text += line + end;
      if (line == "\f") {
        expected.emplace_back();
      } else {
        expected.back() += line + end;
      }
    }
    std::erase(expected, "");
    EXPECT_EQ(documents_of(text), expected) << testing::PrintToString(text);
  }
}

TEST(TextReader, LongDocumentsComeInPiecesOfWholeWords) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "word" + std::to_string(i) + (i % 10 == 0 ? "\n" : " ");
  const DataFolder folder;
  folder.write("a.txt", text);
  auto reader = TextReader::open({folder.path() / "a.txt"});
  ASSERT_TRUE(reader.has_value());
  std::string seen;
  size_t pieces = 0;
  for (auto piece = reader->next(); piece->has_value(); piece = reader->next(), ++pieces) {
    const std::string& part = (**piece).text;
    EXPECT_LE(part.size(), train::kPieceSizeMax);
    EXPECT_GE(part.size() * 2, (**piece).document_ends ? 0 : train::kPieceSizeMax);
    EXPECT_TRUE(seen.empty() || seen.back() == '\n' || part.front() == ' ');
    seen += part;
    EXPECT_EQ((**piece).document_ends, seen.size() == text.size());
  }
  EXPECT_EQ(seen, text);
  EXPECT_GT(pieces, 5U);
}

// Form feeds and ends of files around the sizes at which the reader cuts and fetches more.
TEST(TextReader, BordersOfPiecesAndBlocksAreNoBordersOfDocuments) {
  for (const size_t border : {train::kPieceSizeMax, size_t{1} << 20}) {
    for (size_t size = border - 4; size <= border + 4; ++size) {
      std::string line;
      while (line.size() < size) line += "some words ";
      line.resize(size);
      const std::string feed = line.substr(0, size - 1) + "\f";
      EXPECT_EQ(documents_of(line), (std::vector{line}));
      EXPECT_EQ(documents_of(line + "\n\f\nx"), (std::vector<std::string>{line + "\n", "x"}));
      EXPECT_EQ(documents_of(line + "\n\f"), (std::vector{line + "\n"}));
      EXPECT_EQ(documents_of(line + "\n\fx"), (std::vector{line + "\n\fx"}));
      EXPECT_EQ(documents_of(line + "\f\nx"), (std::vector{line + "\f\nx"}));
      EXPECT_EQ(documents_of(feed), (std::vector{feed}));
    }
  }
}

// All that is read from here on: the texts, each with whether a document ends.
std::vector<std::pair<std::string, bool>> rest_of(TextReader& reader) {
  std::vector<std::pair<std::string, bool>> rest;
  for (auto piece = reader.next(); piece->has_value(); piece = reader.next()) {
    rest.emplace_back((**piece).text, (**piece).document_ends);
  }
  return rest;
}

TEST(TextReader, GoesOnAtTheBeginningOfAnyPiece) {
  const DataFolder folder;
  std::string text;
  std::mt19937 random(2);
  while (text.size() < 300'000) text += random() % 3000 == 0 ? "\n\f\n" : "w\xFF ord ";
  folder.write("a.txt", text);
  folder.write("b.txt", "");
  folder.write("c.txt", "\f\nlast");
  const std::vector files = {folder.path() / "a.txt", folder.path() / "b.txt",
                             folder.path() / "c.txt"};
  auto whole = TextReader::open(files);
  std::vector<train::TextPosition> begins;
  for (auto piece = whole->next(); piece->has_value(); piece = whole->next()) {
    begins.push_back((**piece).begin);
  }
  ASSERT_GT(begins.size(), 10U);
  auto again = TextReader::open(files);
  const auto all = rest_of(*again);
  for (size_t i = 0; i < begins.size(); ++i) {
    auto reader = TextReader::open(files);
    ASSERT_TRUE(reader->seek(begins[i]).has_value());
    EXPECT_EQ(rest_of(*reader), (std::vector(all.begin() + static_cast<ptrdiff_t>(i), all.end())));
    EXPECT_EQ(reader->bytes_read(), reader->bytes_total());
  }
  EXPECT_FALSE(again->seek({3, 0}).has_value());
  EXPECT_FALSE(again->seek({2, 7}).has_value());
}

TEST(TextReader, AHugeLineWithoutSpacesIsCutBetweenCharacters) {
  for (size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'a');
    for (int i = 0; i < 50'000; ++i) text += "\xF0\x9F\xA6\x86";  // A duck.
    EXPECT_THAT(documents_of(text), ElementsAre(text)) << shift;  // Nothing was replaced.
  }
}

TEST(TextReader, BytesThatAreNotUtf8AreReplacedAndCounted) {
  const std::string mark = "\xEF\xBF\xBD";
  uint64_t count = 0;
  // Table 3-8 of the standard: maximal subparts.
  EXPECT_EQ(train::valid_utf8("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", count),
            "a" + mark + mark + mark + "b" + mark + "c" + mark + mark + "d");
  EXPECT_EQ(count, 6U);
  // Tables 3-9 to 3-11: not the shortest form, surrogates, and beyond U+10FFFF.
  count = 0;
  EXPECT_EQ(train::valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", count),
            mark + mark + mark + mark + mark + mark + mark + mark + "A");
  EXPECT_EQ(train::valid_utf8("\xED\xA0\x80\x41", count), mark + mark + mark + "A");
  EXPECT_EQ(train::valid_utf8("\xF4\x91\x92\x93\xFF\x41", count),
            mark + mark + mark + mark + mark + "A");
  EXPECT_EQ(count, 16U);
  count = 0;
  const std::string good =
      "z\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80"
      "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(train::valid_utf8(good, count), good);
  EXPECT_EQ(count, 0U);
}

TEST(TextReader, TheEndOfAFileMayCutACharacter) {
  EXPECT_THAT(documents_of("a\xE2\x82"), ElementsAre("a\xEF\xBF\xBD"));
}

TEST(TextFiles, OfAFolderAreItsTxtFilesSortedByPath) {
  const DataFolder folder;
  for (const char* file : {"b.txt", "a/z.txt", "a/deep/y.txt", "c.md", "a.txt", "b.txt.partial"}) {
    folder.write(file, "text");
  }
  const auto files = train::text_files({folder.path() / "c.md", folder.path()});
  ASSERT_TRUE(files.has_value());
  EXPECT_THAT(*files, ElementsAre(folder.path() / "c.md", folder.path() / "a/deep/y.txt",
                                  folder.path() / "a/z.txt", folder.path() / "a.txt",
                                  folder.path() / "b.txt"));
}

TEST(TextFiles, ThatAreNotThereAreNamed) {
  const DataFolder folder;
  const auto missing = train::text_files({folder.path() / "nowhere"});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("nowhere"));
  const auto nothing = train::text_files({folder.path()});
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, Code::kInvalidArgument);
  EXPECT_FALSE(train::text_files({}).has_value());
}

}  // namespace
