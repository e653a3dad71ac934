#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/files.h"
#include "common/object_store.h"
#include "train/commands.h"
#include "train/dataset.h"
#include "train/tokenize.h"
#include "train/tokenizer.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Result;
using nlohmann::json;

constexpr size_t kShownTokens = 24;
constexpr uint32_t kThreadsMax = 16;

constexpr auto kTokenizeFooter = R"(
FILES are plain UTF-8 text, or folders: every *.txt below is read, in the order of the paths.
A document ends with its file, and at a line that holds a form feed (0x0C) and nothing else.

The held-out set must be made with the training set's tokenizer, or its losses mean something else:
  muster data tokenize --out data/train   text/train
  muster data tokenize --out data/heldout --tokenizer data/train/tokenizer.model text/heldout

A run that was killed goes on when the same command is given again, and ends with the same bytes.
For other nodes, copy all of the folder into a bucket: each shard lies there with its .hashes.

The hash that it prints goes into hparams.json (data.train, data.heldout). The same text, options
and release of SentencePiece give the same hash on every machine.)";

constexpr auto kInspectFooter = R"(
Shows how much there is, and how the first document begins, token by token.
ADDRESS is a folder, or a bucket (file:///abs/path) that holds what `muster data tokenize` made.
Of a bucket only the few ranges that are shown are fetched, and each is checked.
With --verify every shard is read, hashed and looked through for tokens out of range; nothing of a
bucket is kept on this disk.)";

constexpr uint64_t kModelSizeMax = 64 << 20;

struct InspectOptions {
  std::string address;
  bool verify = false;
  bool as_json = false;
};

double per(uint64_t bytes, uint64_t count) {
  return count == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(count);
}

json summary(const DatasetManifest& manifest) {
  return {
      {"hash", manifest.hash().hex()},
      {"tokenizer", manifest.tokenizer},
      {"tokenizer_hash", manifest.tokenizer_hash.hex()},
      {"vocabulary", manifest.vocabulary},
      {"token_bytes", manifest.token_bytes},
      {"end_of_document", manifest.end_of_document},
      {"tokens", manifest.token_count()},
      {"documents", manifest.document_count},
      {"text_bytes", manifest.text_bytes},
      {"bytes_per_token", per(manifest.text_bytes, manifest.token_count())},
      {"shards", manifest.shards.size()},
  };
}

void print_summary(const DatasetManifest& manifest) {
  std::cout << fmt::format(
      "hash        {}\ntokenizer   {}, vocabulary {}\ntext        {} bytes in {} documents\n"
      "tokens      {} in {} shards, {} bytes each; {:.3f} bytes of text a token\n",
      manifest.hash().hex(), manifest.tokenizer, manifest.vocabulary, manifest.text_bytes,
      manifest.document_count, manifest.token_count(), manifest.shards.size(), manifest.token_bytes,
      per(manifest.text_bytes, manifest.token_count()));
}

// One line that is written over, for people who wait.
void show_progress(const char* doing, uint64_t done, uint64_t total) {
  std::cerr << fmt::format("\r{}: {:3.0f} % of {:.1f} MB", doing,
                           100.0 * per(done, std::max<uint64_t>(total, 1)),
                           static_cast<double>(total) / 1e6)
            << (done == total ? "\n" : "") << std::flush;
}

Result<void> run_tokenize(TokenizeOptions options, bool as_json) {
  options.threads = std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
  if (isatty(STDERR_FILENO) != 0) {
    options.progress = [](uint64_t done, uint64_t total) {
      show_progress("tokenizing", done, total);
    };
  }
  TRY(const Tokenized made, tokenize(options));
  if (made.resumed_bytes > 0) {
    std::cerr << fmt::format("went on after {:.1f} MB that an earlier run had done\n",
                             static_cast<double>(made.resumed_bytes) / 1e6);
  }
  if (made.replaced_count > 0) {
    std::cerr << fmt::format(
        "warning: {} stretches of the text are not UTF-8; each became U+FFFD\n",
        made.replaced_count);
  }
  if (as_json) {
    json report = summary(made.manifest);
    report["files"] = made.file_count;
    report["replaced"] = made.replaced_count;
    report["resumed_bytes"] = made.resumed_bytes;
    std::cout << report.dump() << "\n";
  } else {
    std::cout << fmt::format("{}: made of {} files\n", options.out.string(), made.file_count);
    print_summary(made.manifest);
  }
  return {};
}

// A piece of text on one line, in quotes, with what is not to be seen spelled out. Bytes that are
// not UTF-8 by themselves (half a character) become U+FFFD.
std::string quoted(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

// A folder that is gone with it.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make() {
    std::error_code trouble;
    std::string name = (fs::temp_directory_path(trouble) / "muster-data-XXXXXX").string();
    if (trouble || mkdtemp(name.data()) == nullptr) {
      return common::Error{Code::kIo, "no folder for temporary files: set TMPDIR to one"};
    }
    ScratchFolder folder;
    folder.path_ = name;
    return folder;
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  ScratchFolder() = default;
  fs::path path_;
};

// Of a folder, or of a bucket, whose tokenizer is fetched first.
Result<std::unique_ptr<Tokenizer>> tokenizer_at(const std::string& address,
                                                const DatasetManifest& manifest) {
  if (!is_bucket_address(address)) return open_tokenizer(address, manifest);
  const std::string_view file = tokenizer_file(manifest.tokenizer);
  if (file.empty()) return make_byte_tokenizer();
  TRY(const auto bucket, common::open_store(address, /*writable=*/false));
  TRY(const ScratchFolder scratch, ScratchFolder::make());
  auto model = bucket->get(file, kModelSizeMax);
  if (!model) return common::within(address, model.error());
  TRY_VOID(common::write_file(scratch.path() / file, *model));
  auto tokenizer = open_tokenizer(scratch.path(), manifest);
  if (!tokenizer) return common::within(address, tokenizer.error());
  return tokenizer;
}

std::function<void(uint64_t, uint64_t)> progress_line(const char* doing) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [doing, shown = uint64_t{0}](uint64_t done, uint64_t total) mutable {
    static constexpr uint64_t kStep = 1 << 24;  // Bytes between two lines.
    if (done != total && done - shown < kStep) return;
    shown = done;
    show_progress(doing, done, total);
  };
}

Result<void> run_inspect(const InspectOptions& options) {
  TRY(const DatasetManifest manifest, read_manifest_at(options.address));
  TRY(const Dataset dataset, Dataset::open(options.address, manifest.hash(), 1));
  if (options.verify) TRY_VOID(dataset.verify(progress_line("verifying")));
  TRY(const auto tokenizer, tokenizer_at(options.address, manifest));
  json pieces = json::array();
  std::string begin;
  for (size_t i = 0; i < std::min<uint64_t>(kShownTokens, dataset.sample_count()); ++i) {
    TRY(const std::vector<uint32_t> sample, dataset.sample(i));
    const uint32_t token = sample[0];
    const bool end = token == manifest.end_of_document;
    const std::string text = end ? "" : tokenizer->decode(std::vector{token});
    pieces.push_back({{"token", token}, {"text", end ? json() : json(text)}});
    begin += end ? " <end>" : " " + quoted(text);
  }
  if (options.as_json) {
    json report = summary(manifest);
    report["verified"] = options.verify;
    report["begin"] = std::move(pieces);
    std::cout << report.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    return {};
  }
  print_summary(manifest);
  std::cout << "begins     " << begin << "\n";
  if (options.verify) std::cout << "verified    every chunk is what the manifest says\n";
  return {};
}

int exit_code_of(const Result<void>& result) {
  if (result) return 0;
  std::cerr << "muster data: " << result.error().message << "\n";
  return result.error().code == Code::kInvalidArgument ? 2 : 1;
}

// The options stand in the App, which outlives the parse; a callback reads them from there.
TokenizeOptions tokenize_options(const CLI::App& verb) {
  TokenizeOptions options;
  for (const auto& text : verb["files"]->as<std::vector<std::string>>()) {
    options.texts.emplace_back(text);
  }
  options.out = verb["--out"]->as<std::string>();
  options.tokenizer = verb["--tokenizer"]->as<std::string>();
  options.vocabulary = verb["--vocabulary"]->as<uint32_t>();
  options.shard_tokens = verb["--shard-tokens"]->as<uint64_t>();
  return options;
}

void add_tokenize(CLI::App& data, int& exit_code) {
  const TokenizeOptions defaults;
  CLI::App* verb = data.add_subcommand("tokenize", "Make token shards of plain text");
  verb->add_option("files", "Text files, or folders of *.txt")->required()->expected(1, -1);
  verb->add_option("--out", "Folder for the shards and manifest.json")
      ->type_name("DIR")
      ->required();
  verb->add_option("--tokenizer",
                   "sentencepiece (trained on the text), bytes, or the path of a .model, of a "
                   "Hugging Face tokenizer.json, or of a folder that holds one")
      ->type_name("NAME")
      ->default_str(defaults.tokenizer);
  verb->add_option("--vocabulary", "Pieces of a tokenizer that is trained")
      ->check(CLI::Range(kVocabularyMin, kVocabularyMax))
      ->default_str(std::to_string(defaults.vocabulary));
  verb->add_option("--shard-tokens", "Tokens in a shard")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 28))
      ->default_str(std::to_string(defaults.shard_tokens));
  verb->add_flag("--json")->description("Print one JSON object");
  verb->footer(kTokenizeFooter);
  verb->callback([verb, &exit_code] {
    exit_code = exit_code_of(run_tokenize(tokenize_options(*verb), verb->count("--json") > 0));
  });
}

void add_inspect(CLI::App& data, int& exit_code) {
  CLI::App* verb = data.add_subcommand("inspect", "Show what a data set holds");
  verb->add_option("address", "The folder or bucket with manifest.json")
      ->type_name("ADDRESS")
      ->required();
  verb->add_flag("--verify")->description("Read, hash and look through every shard");
  verb->add_flag("--json")->description("Print one JSON object");
  verb->footer(kInspectFooter);
  verb->callback([verb, &exit_code] {
    const InspectOptions options = {(*verb)["address"]->as<std::string>(),
                                    verb->count("--verify") > 0, verb->count("--json") > 0};
    exit_code = exit_code_of(run_inspect(options));
  });
}

}  // namespace

void add_data_verbs(CLI::App& muster, int& exit_code) {
  CLI::App* data = muster.add_subcommand("data", "Text to tokens, and what is in a data set");
  data->require_subcommand(1);
  add_tokenize(*data, exit_code);
  add_inspect(*data, exit_code);
}

}  // namespace train
