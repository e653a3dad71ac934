#include "train/tokenize.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "common/check.h"
#include "common/files.h"
#include "train/text_reader.h"
#include "train/tokenizer.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;

constexpr uint64_t kShardTokensMax = 1 << 28;
constexpr size_t kShardsMax = 65'536;
constexpr size_t kPiecesAtOnce = 64;  // 4 MiB of text in flight.
constexpr uint32_t kThreadsMax = 64;

// Fills shards of a fixed number of tokens and writes each when it is full.
class ShardWriter {
 public:
  ShardWriter(fs::path folder, uint32_t token_bytes, uint64_t shard_tokens)
      : folder_(std::move(folder)), token_bytes_(token_bytes), shard_tokens_(shard_tokens) {}

  Result<void> add(uint32_t token) {
    if (token_bytes_ == 2) {
      writer_.number(static_cast<uint16_t>(token));
    } else {
      writer_.number(token);
    }
    return writer_.bytes().size() == shard_tokens_ * token_bytes_ ? flush() : Result<void>();
  }

  Result<std::vector<DatasetManifest::Shard>> finish() && {
    if (!writer_.bytes().empty()) TRY_VOID(flush());
    return std::move(shards_);
  }

 private:
  Result<void> flush() {
    if (shards_.size() == kShardsMax) {
      return Error{Code::kExhausted, fmt::format("the text fills over {} shards of {} tokens: make "
                                                 "the shards larger",
                                                 kShardsMax, shard_tokens_)};
    }
    const common::Bytes bytes = std::exchange(writer_, {}).bytes();
    DatasetManifest::Shard shard;
    shard.file = fmt::format("tokens-{:05}.bin", shards_.size());
    shard.token_count = bytes.size() / token_bytes_;
    shard.hash = common::blake2b_256(bytes);
    TRY_VOID(common::write_file(folder_ / shard.file, bytes));
    shards_.push_back(std::move(shard));
    return {};
  }

  fs::path folder_;
  uint32_t token_bytes_;
  uint64_t shard_tokens_;
  common::ByteWriter writer_;
  std::vector<DatasetManifest::Shard> shards_;
};

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
  if (options.tokenizer != "sentencepiece") return load_sentencepiece(options.tokenizer);
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

Result<void> encode_texts(const TokenizeOptions& options, const Tokenizer& tokenizer,
                          TextReader& reader, DatasetManifest& manifest) {
  ShardWriter writer(options.out, manifest.token_bytes, options.shard_tokens);
  const uint32_t threads = std::clamp<uint32_t>(options.threads, 1, kThreadsMax);
  for (bool more = true; more;) {
    std::vector<TextPiece> pieces;
    while (more && pieces.size() < kPiecesAtOnce) {
      TRY(auto piece, reader.next());
      more = piece.has_value();
      if (more) pieces.push_back(std::move(*piece));
    }
    const auto tokens = encode_all(tokenizer, pieces, threads);
    for (size_t i = 0; i < pieces.size(); ++i) {
      manifest.text_bytes += pieces[i].text.size();
      for (const uint32_t token : tokens[i]) TRY_VOID(writer.add(token));
      if (!pieces[i].document_ends) continue;
      TRY_VOID(writer.add(manifest.end_of_document));
      ++manifest.document_count;
    }
    if (options.progress) options.progress(reader.bytes_read(), reader.bytes_total());
  }
  TRY(manifest.shards, std::move(writer).finish());
  return {};
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

}  // namespace

Result<Tokenized> tokenize(const TokenizeOptions& options) {
  TRY_VOID(check_options(options));
  TRY(const auto files, text_files(options.texts));
  TRY(TextReader reader, TextReader::open(files));
  if (reader.bytes_total() == 0) return Error{Code::kInvalidArgument, "the text files are empty"};
  TRY(const auto tokenizer, choose_tokenizer(options, files));

  Tokenized made;
  made.file_count = files.size();
  DatasetManifest& manifest = made.manifest;
  manifest.tokenizer = tokenizer->name();
  manifest.vocabulary = tokenizer->vocabulary();
  manifest.token_bytes = DatasetManifest::token_bytes_for(manifest.vocabulary);
  manifest.end_of_document = tokenizer->end_of_document();
  TRY_VOID(common::make_folder(options.out));
  TRY_VOID(encode_texts(options, *tokenizer, reader, manifest));
  if (manifest.document_count == 0) {
    return Error{Code::kInvalidArgument, "the text files hold no text"};
  }
  made.replaced_count = reader.replaced_count();
  if (const std::string_view model = tokenizer->model(); !model.empty()) {
    manifest.tokenizer_hash = common::blake2b_256(common::view_of(model));
    TRY_VOID(common::write_file(options.out / "tokenizer.model", common::view_of(model)));
  }
  TRY_VOID(
      common::write_file(options.out / "manifest.json", common::view_of(manifest.canonical())));
  return made;
}

}  // namespace train
