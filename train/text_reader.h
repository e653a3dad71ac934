// Plain UTF-8 text files, read as documents in pieces of bounded size.
//
// A document ends where its file ends, and at a line that holds a form feed (0x0C) and nothing
// else; that line is no part of the text. A document without a byte is none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/files.h"
#include "common/result.h"

namespace train {

// A document is cut before a space or after a new line, where there is one, so that words stay
// whole.
inline constexpr size_t kPieceSizeMax = 64 << 10;

struct TextPiece {
  std::string text;  // Valid UTF-8, 1 .. kPieceSizeMax bytes of the file.
  bool document_ends = false;
};

// Files as given; of a folder all regular files below it named *.txt, sorted by path. kNotFound for
// a path that is not there, kInvalidArgument for a folder without text and for no path at all.
common::Result<std::vector<std::filesystem::path>> text_files(
    const std::vector<std::filesystem::path>& paths);

class TextReader {
 public:
  // Looks at every file's size now, and maps one at a time while reading.
  static common::Result<TextReader> open(std::vector<std::filesystem::path> files);

  // The next piece; nothing at the end of the last file.
  common::Result<std::optional<TextPiece>> next();

  uint64_t bytes_total() const { return bytes_total_; }
  uint64_t bytes_read() const { return bytes_read_; }
  // Stretches of bytes that are no UTF-8: each was replaced by U+FFFD.
  uint64_t replaced_count() const { return replaced_count_; }

 private:
  std::vector<std::filesystem::path> files_;
  size_t next_file_ = 0;
  std::optional<common::MappedFile> file_;
  std::string_view rest_;      // Of the file, from the next document on,
  std::string_view document_;  //   and of the document that is being read.
  uint64_t bytes_total_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t replaced_count_ = 0;
};

// `text` with one U+FFFD for each maximal subpart of an ill-formed sequence, as the Unicode
// Standard 15, section 3.9 recommends; adds their number to `replaced_count`.
std::string valid_utf8(std::string_view text, uint64_t& replaced_count);

}  // namespace train
