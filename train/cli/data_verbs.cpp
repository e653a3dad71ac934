#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

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

The hash that it prints goes into hparams.json (data.train, data.heldout). The same text, options
and release of SentencePiece give the same hash on every machine.)";

constexpr auto kInspectFooter = R"(
Shows how much there is, and how the first document begins, token by token.
With --verify every shard is read, hashed and looked through for tokens out of range.)";

struct InspectOptions {
  fs::path folder;
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
void show_progress(uint64_t done, uint64_t total) {
  std::cerr << fmt::format("\rtokenizing: {:3.0f} % of {:.1f} MB",
                           100.0 * per(done, std::max<uint64_t>(total, 1)),
                           static_cast<double>(total) / 1e6)
            << (done == total ? "\n" : "") << std::flush;
}

Result<void> run_tokenize(TokenizeOptions options, bool as_json) {
  options.threads = std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
  if (isatty(STDERR_FILENO) != 0) options.progress = show_progress;
  TRY(const Tokenized made, tokenize(options));
  if (made.replaced_count > 0) {
    std::cerr << fmt::format(
        "warning: {} stretches of the text are not UTF-8; each became U+FFFD\n",
        made.replaced_count);
  }
  if (as_json) {
    json report = summary(made.manifest);
    report["files"] = made.file_count;
    report["replaced"] = made.replaced_count;
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

Result<void> run_inspect(const InspectOptions& options) {
  TRY(const DatasetManifest manifest, read_manifest(options.folder));
  TRY(const Dataset dataset, Dataset::open(options.folder, manifest.hash(), 1, options.verify));
  TRY(const auto tokenizer, open_tokenizer(options.folder, manifest));
  json pieces = json::array();
  std::string begin;
  for (size_t i = 0; i < std::min<uint64_t>(kShownTokens, dataset.sample_count()); ++i) {
    const uint32_t token = dataset.sample(i)[0];
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
  if (options.verify) std::cout << "verified    every shard is what the manifest says\n";
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
                   "sentencepiece (trained on the text), bytes, or the path of a .model")
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
  verb->add_option("folder", "The folder with manifest.json")->required();
  verb->add_flag("--verify")->description("Read, hash and look through every shard");
  verb->add_flag("--json")->description("Print one JSON object");
  verb->footer(kInspectFooter);
  verb->callback([verb, &exit_code] {
    const InspectOptions options = {(*verb)["folder"]->as<std::string>(),
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
