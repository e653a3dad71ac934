#include "train/tokenize.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "common/check.h"
#include "common/files.h"
#include "train/data/shard_writer.h"
#include "train/data/tokenize_progress.h"
#include "train/text_reader.h"
#include "train/tokenizer.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;

constexpr size_t kPiecesAtOnce = 64;  // 4 MiB of text in flight.
constexpr uint32_t kThreadsMax = 64;

// Every n-th line that holds anything, n = bytes of text / `sample_size`, rounded up.
Result<std::vector<std::string>> sample_lines(const std::vector<fs::path>& files,
                                              uint64_t sample_size) {
  TRY(TextReader reader, TextReader::open(files));
  const uint64_t stride =
      std::max<uint64_t>(1, (reader.bytes_total() + sample_size - 1) / sample_size);
  std::vector<std::string> lines;
  uint64_t line_number = 0;
  uint64_t taken = 0;
  while (taken < 2 * sample_size) {  // Long lines may stand just where we take.
    TRY(const auto piece, reader.next());
    if (!piece) break;
    std::string_view rest = piece->text;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (line.empty() || line_number++ % stride != 0) continue;
      lines.emplace_back(line);
      taken += line.size();
    }
  }
  return lines;
}

Result<std::unique_ptr<Tokenizer>> choose_tokenizer(const TokenizeOptions& options,
                                                    const std::vector<fs::path>& files) {
  if (options.tokenizer == "bytes") return make_byte_tokenizer();
  if (options.tokenizer != "sentencepiece") return load_tokenizer(options.tokenizer);
  const uint64_t sample_size = options.sample_per_piece * options.vocabulary;
  TRY(const auto lines, sample_lines(files, std::max<uint64_t>(1, sample_size)));
  return train_sentencepiece(lines, options.vocabulary);
}

// tokens[i] = encode(pieces[i].text), the work shared by `threads`.
std::vector<std::vector<uint32_t>> encode_all(const Tokenizer& tokenizer,
                                              const std::vector<TextPiece>& pieces,
                                              uint32_t threads) {
  std::vector<std::vector<uint32_t>> tokens(pieces.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < pieces.size(); i = next++)
      tokens[i] = tokenizer.encode(pieces[i].text);
  };
  std::vector<std::jthread> helpers;
  for (uint32_t i = 1; i < std::min<size_t>(threads, pieces.size()); ++i)
    helpers.emplace_back(work);
  work();
  helpers.clear();  // Joins.
  return tokens;
}

// Puts what was encoded into shards, and after each writes down how far that is.
class Output {
 public:
  Output(const TokenizeOptions& options, TokenizeProgress& progress)
      : options_(options),
        progress_(progress),
        skip_(progress.piece_tokens),
        writer_(options.out, progress.manifest, options.shard_tokens,
                progress.manifest.shards.size()) {}

  // `tokens` of a whole piece; one that earlier shards hold in part comes first.
  Result<void> add(const TextPiece& piece, std::vector<uint32_t> tokens) {
    DatasetManifest& manifest = progress_.manifest;
    if (piece.document_ends) tokens.push_back(manifest.end_of_document);
    progress_.piece = piece.begin;
    if (skip_ > tokens.size()) {
      return Error{Code::kConflict,
                   fmt::format("the text is not what it was when {} was begun: remove that folder "
                               "to begin anew",
                               options_.out.string())};
    }
    std::span<const uint32_t> rest = std::span(tokens).subspan(std::exchange(skip_, 0));
    while (!rest.empty()) {
      TRY(const size_t taken, writer_.add(rest));
      rest = rest.subspan(taken);
      progress_.piece_tokens = tokens.size() - rest.size();
      if (writer_.full()) {
        TRY_VOID(finish_shard());
        TRY_VOID(save_progress(options_.out, progress_));
      }
    }
    manifest.text_bytes += piece.text.size();
    manifest.document_count += piece.document_ends ? 1 : 0;
    progress_.replaced_count += piece.replaced_count;
    return {};
  }
  Result<void> finish() { return writer_.empty() ? Result<void>() : finish_shard(); }

 private:
  Result<void> finish_shard() {
    if (progress_.manifest.shards.size() == kShardsMax) {
      return Error{Code::kExhausted, fmt::format("the text fills over {} shards of {} tokens: make "
                                                 "the shards larger",
                                                 kShardsMax, options_.shard_tokens)};
    }
    TRY(DatasetManifest::Shard shard, writer_.finish());
    progress_.manifest.shards.push_back(std::move(shard));
    return {};
  }

  const TokenizeOptions& options_;
  TokenizeProgress& progress_;
  uint64_t skip_;  // Tokens of the next piece that are in a shard already.
  ShardWriter writer_;
};

// From where `progress` says to the end of the text.
Result<void> encode_texts(const TokenizeOptions& options, const Tokenizer& tokenizer,
                          TextReader& reader, TokenizeProgress& progress) {
  const uint32_t threads = std::clamp<uint32_t>(options.threads, 1, kThreadsMax);
  Output output(options, progress);
  TRY_VOID(reader.seek(progress.piece));
  for (bool more = true; more;) {
    std::vector<TextPiece> pieces;
    while (more && pieces.size() < kPiecesAtOnce) {
      TRY(auto piece, reader.next());
      more = piece.has_value();
      if (more) pieces.push_back(std::move(*piece));
    }
    auto tokens = encode_all(tokenizer, pieces, threads);
    for (size_t i = 0; i < pieces.size(); ++i) {
      TRY_VOID(output.add(pieces[i], std::move(tokens[i])));
    }
    if (options.progress) options.progress(reader.bytes_read(), reader.bytes_total());
  }
  return output.finish();
}

Result<void> check_options(const TokenizeOptions& options) {
  if (options.shard_tokens == 0 || options.shard_tokens > kShardTokensMax) {
    return Error{Code::kInvalidArgument, fmt::format("shards of {} tokens: 1 to {} are possible",
                                                     options.shard_tokens, kShardTokensMax)};
  }
  std::error_code trouble;
  if (fs::exists(options.out / "manifest.json", trouble)) {
    return Error{Code::kAlreadyExists,
                 fmt::format("{} holds a data set already: choose another folder, or remove it",
                             options.out.string())};
  }
  return {};
}

// What decides the result, but for the bytes of the texts, which their sizes and times stand for.
Result<Hash> inputs_of(const TokenizeOptions& options, const std::vector<fs::path>& files) {
  common::Hasher hasher;
  const auto add = [&hasher](std::string_view text) {
    hasher.number(uint64_t{text.size()}).update(common::view_of(text));
  };
  add("tokenize 1");
  add(options.tokenizer);
  hasher.number(options.vocabulary).number(options.shard_tokens).number(options.sample_per_piece);
  std::vector<fs::path> read = files;
  if (options.tokenizer != "bytes" && options.tokenizer != "sentencepiece") {
    read.emplace_back(options.tokenizer);
  }
  hasher.number(uint64_t{read.size()});
  for (const fs::path& file : read) {
    std::error_code trouble;
    add(fs::absolute(file).lexically_normal().string());
    // A tokenizer may be a folder.
    const uint64_t size = fs::is_directory(file, trouble) ? 0 : fs::file_size(file, trouble);
    hasher.number(size);
    hasher.number(int64_t{fs::last_write_time(file, trouble).time_since_epoch().count()});
    if (trouble) {
      return Error{Code::kIo, fmt::format("reading {}: {}", file.string(), trouble.message())};
    }
  }
  return hasher.finish();
}

// One process at a time writes into `out`; afterwards no file tells of it.
class OutLock {
 public:
  static Result<OutLock> take(const fs::path& out) {
    TRY_VOID(common::make_folder(out));
    TRY(common::FolderLock lock, common::FolderLock::take(out));
    return OutLock(out, std::move(lock));
  }
  OutLock(OutLock&&) = default;
  OutLock& operator=(OutLock&&) = delete;
  ~OutLock() {
    std::error_code not_there;
    if (lock_) fs::remove(out_ / "lock", not_there);
  }

 private:
  OutLock(fs::path out, common::FolderLock lock) : out_(std::move(out)), lock_(std::move(lock)) {}
  fs::path out_;
  std::optional<common::FolderLock> lock_;
};

// Files that a killed run was writing. We hold the lock.
void remove_leftovers(const fs::path& out) {
  std::error_code trouble;
  for (fs::directory_iterator entry(out, trouble), end; !trouble && entry != end;
       entry.increment(trouble)) {
    std::error_code ignored;
    if (entry->path().filename().string().starts_with(".tmp~")) fs::remove(*entry, ignored);
  }
}

// What an unfinished run in `out` left; or the tokenizer, chosen and written, and no text yet.
Result<TokenizeProgress> begin_or_go_on(const TokenizeOptions& options,
                                        const std::vector<fs::path>& files,
                                        std::unique_ptr<Tokenizer>& tokenizer) {
  TRY(const Hash inputs, inputs_of(options, files));
  TRY(auto unfinished, load_progress(options.out));
  if (unfinished && unfinished->inputs != inputs) {
    return Error{Code::kConflict,
                 fmt::format("{} holds an unfinished data set of another text or other options: "
                             "the command that began it goes on with it; or remove the folder, or "
                             "choose another",
                             options.out.string())};
  }
  if (unfinished) {
    TRY(tokenizer, open_tokenizer(options.out, unfinished->manifest));
    return std::move(*unfinished);
  }
  TRY(tokenizer, choose_tokenizer(options, files));
  TokenizeProgress progress{.inputs = inputs, .manifest = {}, .piece = {}};
  DatasetManifest& manifest = progress.manifest;
  manifest.tokenizer = tokenizer->name();
  manifest.vocabulary = tokenizer->vocabulary();
  manifest.token_bytes = DatasetManifest::token_bytes_for(manifest.vocabulary);
  manifest.end_of_document = tokenizer->end_of_document();
  if (const std::string_view model = tokenizer->model(); !model.empty()) {
    manifest.tokenizer_hash = common::blake2b_256(common::view_of(model));
    TRY_VOID(common::write_file(options.out / tokenizer_file(tokenizer->name()),
                                common::view_of(model)));
  }
  TRY_VOID(save_progress(options.out, progress));
  return progress;
}

}  // namespace

Result<Tokenized> tokenize(const TokenizeOptions& options) {
  TRY_VOID(check_options(options));
  TRY(const auto files, text_files(options.texts));
  TRY(TextReader reader, TextReader::open(files));
  if (reader.bytes_total() == 0) return Error{Code::kInvalidArgument, "the text files are empty"};
  TRY(const OutLock lock, OutLock::take(options.out));
  TRY_VOID(check_options(options));  // Another process may just have ended.
  remove_leftovers(options.out);

  std::unique_ptr<Tokenizer> tokenizer;
  TRY(TokenizeProgress progress, begin_or_go_on(options, files, tokenizer));
  Tokenized made;
  made.file_count = files.size();
  made.resumed_bytes = progress.manifest.text_bytes;
  TRY_VOID(encode_texts(options, *tokenizer, reader, progress));
  made.replaced_count = progress.replaced_count;
  made.manifest = std::move(progress.manifest);
  if (made.manifest.document_count == 0) {
    remove_progress(options.out);
    return Error{Code::kInvalidArgument, "the text files hold no text"};
  }
  const std::string text = made.manifest.canonical();
  TRY_VOID(common::write_file(options.out / "manifest.json", common::view_of(text)));
  remove_progress(options.out);
  return made;
}

}  // namespace train
