// Plain UTF-8 text files, read as documents in pieces of bounded size.
//
// A document ends where its file ends, and at a line that holds a form feed (0x0C) and nothing
// else; that line is no part of the text. A document without a byte is none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace train {

// A document is cut before a space or after a new line, where there is one, so that words stay
// whole.
inline constexpr size_t kPieceSizeMax = 64 << 10;

// Where a piece begins, so that reading can go on there.
struct TextPosition {
  uint64_t file = 0;    // Of the files in their order,
  uint64_t offset = 0;  //   and bytes into it.
};

struct TextPiece {
  std::string text;  // Valid UTF-8, of 1 .. kPieceSizeMax bytes of the file.
  bool document_ends = false;
  TextPosition begin;
  uint64_t replaced_count = 0;  // Stretches of bytes that are no UTF-8: each became U+FFFD.
};

// Files as given; of a folder all regular files below it named *.txt, sorted by path. kNotFound for
// a path that is not there, kInvalidArgument for a folder without text and for no path at all.
common::Result<std::vector<std::filesystem::path>> text_files(
    const std::vector<std::filesystem::path>& paths);

// Reads each file once from its beginning, a MiB at a time; nothing else of it is in memory.
class TextReader {
 public:
  // Looks at every file's size now. kNotFound, kIo with the file's name.
  static common::Result<TextReader> open(std::vector<std::filesystem::path> files);

  // Goes on at the beginning of a piece that was read before. kConflict if no such place is.
  common::Result<void> seek(TextPosition position);
  // The next piece; nothing at the end of the last file.
  common::Result<std::optional<TextPiece>> next();

  uint64_t bytes_total() const { return bytes_total_; }
  uint64_t bytes_read() const { return bytes_read_; }
  // Of all pieces so far.
  uint64_t replaced_count() const { return replaced_count_; }

 private:
  common::Result<void> open_file();
  common::Result<void> fill();
  // The next `size` bytes are done with.
  void consume(size_t size);

  std::vector<std::filesystem::path> files_;
  std::vector<uint64_t> sizes_;
  std::optional<std::ifstream> file_;
  bool at_end_ = false;   // Nothing follows in the file but what is in the buffer.
  std::string buffer_;    // Of the file,
  size_t at_ = 0;         //   read so far.
  char previous_ = '\n';  // The byte before: whether a line begins.
  TextPosition position_;
  uint64_t bytes_total_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t replaced_count_ = 0;
};

// `text` with one U+FFFD for each maximal subpart of an ill-formed sequence, as the Unicode
// Standard 15, section 3.9 recommends; adds their number to `replaced_count`.
std::string valid_utf8(std::string_view text, uint64_t& replaced_count);

}  // namespace train
