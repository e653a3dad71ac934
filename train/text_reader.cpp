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

// How much of `document` the next piece takes.
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

// Splits off the first document: up to a line "\f", or to the end. `rest` then begins after that
// line.
std::string_view take_document(std::string_view& rest) {
  size_t at = 0;
  while ((at = rest.find('\f', at)) != std::string_view::npos) {
    const bool line_begins = at == 0 || rest[at - 1] == '\n';
    const bool line_ends = at + 1 == rest.size() || rest[at + 1] == '\n';
    if (line_begins && line_ends) {
      const std::string_view document = rest.substr(0, at);
      rest.remove_prefix(std::min(at + 2, rest.size()));
      return document;
    }
    ++at;
  }
  return std::exchange(rest, {});
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
  }
  reader.files_ = std::move(files);
  return reader;
}

Result<std::optional<TextPiece>> TextReader::next() {
  while (document_.empty()) {
    if (rest_.empty()) {
      if (next_file_ == files_.size()) return std::optional<TextPiece>();
      TRY(auto file, common::MappedFile::open(files_[next_file_++]));
      file_ = std::move(file);
      rest_ = common::text_of(file_->bytes());
    }
    const size_t before = rest_.size();
    document_ = take_document(rest_);
    bytes_read_ += before - rest_.size() - document_.size();  // The separator.
  }
  const size_t size = piece_size(document_);
  TextPiece piece;
  piece.text = valid_utf8(document_.substr(0, size), replaced_count_);
  document_.remove_prefix(size);
  piece.document_ends = document_.empty();
  bytes_read_ += size;
  return std::optional(std::move(piece));
}

std::string valid_utf8(std::string_view text, uint64_t& replaced_count) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const auto [size, good] = sequence_at(text);
    valid += good ? text.substr(0, size) : "\xEF\xBF\xBD";
    if (!good) ++replaced_count;
    text.remove_prefix(size);
  }
  return valid;
}

}  // namespace train
