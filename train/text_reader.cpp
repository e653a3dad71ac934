#include "train/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/check.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

constexpr size_t kFilesMax = 1'000'000;
constexpr size_t kBlock = 1 << 20;            // What is read at a time.
constexpr size_t kAhead = kPieceSizeMax + 2;  // What a piece's end depends on: see find_separator.

bool continues(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

// How long the well-formed sequence at the start of `text` is, or the ill-formed one (`good` false)
// that is to be replaced as a whole. Table 3-7 of the Unicode Standard: only the second byte's
// range depends on the first.
struct Sequence {
  size_t size;
  bool good;
};
Sequence sequence_at(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {1, true};
  if (first < 0xC2 || first > 0xF4) return {1, false};
  const size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  const int lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const int highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  size_t seen = 1;
  while (seen < size && seen < text.size() && continues(text[seen])) {
    const auto byte = static_cast<uint8_t>(text[seen]);
    if (seen == 1 && (byte < lowest || byte > highest)) break;
    ++seen;
  }
  return {seen, seen == size};
}

// How much of `document` the next piece takes; of a long one its first kPieceSizeMax + 1 bytes are
// enough to say.
size_t piece_size(std::string_view document) {
  if (document.size() <= kPieceSizeMax) return document.size();
  const std::string_view window = document.substr(0, kPieceSizeMax);
  const size_t blank = window.find_last_of(" \n");
  if (blank != std::string_view::npos && blank >= kPieceSizeMax / 2) {
    return window[blank] == '\n' ? blank + 1 : blank;
  }
  size_t size = kPieceSizeMax;  // One endless word: cut it between characters.
  while (size > kPieceSizeMax - 4 && continues(document[size])) --size;
  return size;
}

// Where in the first kPieceSizeMax + 1 bytes of `text` a line "\f" begins; npos if none does. The
// bytes after `text` matter only where it is longer than that.
size_t find_separator(std::string_view text, char previous) {
  const std::string_view window = text.substr(0, kPieceSizeMax + 1);
  for (size_t at = window.find('\f'); at != std::string_view::npos;
       at = window.find('\f', at + 1)) {
    const bool line_begins = (at == 0 ? previous : text[at - 1]) == '\n';
    const bool line_ends = at + 1 == text.size() || text[at + 1] == '\n';
    if (line_begins && line_ends) return at;
  }
  return std::string_view::npos;
}

Error unreadable(const fs::path& path, const std::error_code& trouble) {
  return Error{Code::kIo, fmt::format("reading {}: {}", path.string(), trouble.message())};
}

Result<void> add_folder(const fs::path& folder, std::vector<fs::path>& files) {
  std::vector<fs::path> found;
  std::error_code trouble;
  for (fs::recursive_directory_iterator entry(folder, trouble), end; !trouble && entry != end;
       entry.increment(trouble)) {
    std::error_code unknown;  // A dangling link is no regular file.
    if (entry->path().extension() == ".txt" && entry->is_regular_file(unknown)) {
      found.push_back(entry->path());
    }
    if (found.size() > kFilesMax) {
      return Error{Code::kExhausted,
                   fmt::format("{} holds over {} text files", folder.string(), kFilesMax)};
    }
  }
  if (trouble) return unreadable(folder, trouble);
  if (found.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} holds no file named *.txt", folder.string())};
  }
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
  return {};
}

}  // namespace

Result<std::vector<fs::path>> text_files(const std::vector<fs::path>& paths) {
  if (paths.empty()) return Error{Code::kInvalidArgument, "no text given: name files or folders"};
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code trouble;
    const fs::file_status status = fs::status(path, trouble);
    if (status.type() == fs::file_type::not_found) {
      return Error{Code::kNotFound, fmt::format("{} does not exist", path.string())};
    }
    if (trouble) return unreadable(path, trouble);
    if (fs::is_directory(status)) {
      TRY_VOID(add_folder(path, files));
    } else {
      files.push_back(path);
    }
  }
  return files;
}

Result<TextReader> TextReader::open(std::vector<fs::path> files) {
  TextReader reader;
  for (const fs::path& file : files) {
    std::error_code trouble;
    const uint64_t size = fs::file_size(file, trouble);
    if (trouble) return unreadable(file, trouble);
    reader.bytes_total_ += size;
    reader.sizes_.push_back(size);
  }
  reader.files_ = std::move(files);
  return reader;
}

Result<void> TextReader::seek(TextPosition position) {
  if (position.file >= files_.size() || position.offset > sizes_[position.file]) {
    return Error{Code::kConflict, "the text is shorter than it was"};
  }
  position_ = {position.file, 0};
  TRY_VOID(open_file());
  const auto from = static_cast<std::streamoff>(position.offset);
  if (position.offset > 0) {
    file_->seekg(from - 1);
    file_->get(previous_);
  }
  if (!*file_) {
    return Error{Code::kConflict,
                 fmt::format("{} is shorter than it was", files_[position.file].string())};
  }
  position_.offset = position.offset;
  bytes_read_ = position.offset;
  for (uint64_t file = 0; file < position.file; ++file) bytes_read_ += sizes_[file];
  return {};
}

Result<void> TextReader::open_file() {
  const fs::path& path = files_[position_.file];
  file_.emplace(path, std::ios::binary);
  if (!*file_) {
    return Error{Code::kIo, fmt::format("reading {}: it cannot be opened", path.string())};
  }
  at_end_ = false;
  buffer_.clear();
  at_ = 0;
  previous_ = '\n';
  position_.offset = 0;
  return {};
}

// What decides the next piece is then in the buffer, or the file's end is.
Result<void> TextReader::fill() {
  if (at_end_ || buffer_.size() - at_ >= kAhead) return {};
  buffer_.erase(0, at_);
  at_ = 0;
  const size_t kept = buffer_.size();
  buffer_.resize(kept + kBlock);
  file_->read(buffer_.data() + kept, static_cast<std::streamsize>(kBlock));
  buffer_.resize(kept + static_cast<size_t>(file_->gcount()));
  at_end_ = file_->eof();
  if (!at_end_ && !*file_) {
    return Error{Code::kIo, fmt::format("reading {}: the disk or the file system failed",
                                        files_[position_.file].string())};
  }
  return {};
}

void TextReader::consume(size_t size) {
  if (size == 0) return;
  previous_ = buffer_[at_ + size - 1];
  at_ += size;
  position_.offset += size;
  bytes_read_ += size;
}

Result<std::optional<TextPiece>> TextReader::next() {
  while (position_.file < files_.size()) {
    if (!file_) TRY_VOID(open_file());
    TRY_VOID(fill());
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (rest.empty()) {
      file_.reset();
      position_ = {position_.file + 1, 0};
      continue;
    }
    const size_t end = find_separator(rest, previous_);
    if (end == 0) {
      consume(std::min<size_t>(2, rest.size()));
      continue;
    }
    const std::string_view document = rest.substr(0, end);
    const size_t size = piece_size(document);
    TextPiece piece;
    piece.begin = position_;
    piece.text = valid_utf8(document.substr(0, size), piece.replaced_count);
    piece.document_ends = size == document.size();
    consume(size);
    replaced_count_ += piece.replaced_count;
    return std::optional(std::move(piece));
  }
  return std::optional<TextPiece>();
}

std::string valid_utf8(std::string_view text, uint64_t& replaced_count) {
  std::string valid;
  valid.reserve(text.size());
  size_t good_from = 0;  // What is well-formed is copied in one go.
  for (size_t at = 0; at < text.size();) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const auto [size, good] = sequence_at(text.substr(at));
    if (!good) {
      valid += text.substr(good_from, at - good_from);
      valid += "\xEF\xBF\xBD";
      ++replaced_count;
      good_from = at + size;
    }
    at += size;
  }
  valid += text.substr(good_from);
  return valid;
}

}  // namespace train
