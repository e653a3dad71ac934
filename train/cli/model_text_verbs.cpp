// muster model generate, eval: what a model says, and how well it foretells.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/clock.h"
#include "common/files.h"
#include "train/cli/model_flags.h"
#include "train/decoder.h"
#include "train/hf_checkpoint.h"
#include "train/sampler.h"
#include "train/score_text.h"
#include "train/text_stream.h"

namespace train::cli {
namespace {

namespace fs = std::filesystem;
using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr uint64_t kPromptSizeMax = 16 << 20;
constexpr uint32_t kEvalLengthDefault = 2048;

Result<std::unique_ptr<Tokenizer>> tokenizer_of(const CLI::App& verb, const HfFolder& folder) {
  const bool other = common::is_given(verb, "--tokenizer");
  return open_model_tokenizer(other ? fs::path(common::given(verb, "--tokenizer")) : folder.path(),
                              folder.config());
}

std::optional<uint32_t> begin_of(const CLI::App& verb, const HfFolder& folder) {
  if (common::is_given(verb, "--no-begin")) return std::nullopt;
  return folder.config().begin_token;
}

double seconds_since(common::Instant start) {
  const auto span = common::system_clock().now() - start;
  return std::max(1e-3, static_cast<double>(span.count()) / 1000);
}

// -- generate -------------------------------------------------------------------------------------

Result<std::string> prompt_of(const CLI::App& verb) {
  if (!common::is_given(verb, "--prompt-file")) return common::given(verb, "--prompt");
  if (common::is_given(verb, "--prompt")) {
    return Error{Code::kInvalidArgument, "give --prompt or --prompt-file, not both"};
  }
  TRY(const common::Bytes bytes,
      common::read_file(common::given(verb, "--prompt-file"), kPromptSizeMax));
  return std::string(common::text_of(bytes));
}

struct Written {
  std::vector<uint32_t> tokens;
  const char* stopped = "length";  // "end": the document ended; "context": no room is left.
  double seconds = 0;
};

// Writes on from `prompt`, one token at a time; `show` is told of each.
template <typename Show>
Written write_on(Decoder& decoder, Sampler& sampler, std::span<const uint32_t> prompt,
                 uint32_t most, uint32_t room, const Tokenizer& tokenizer,
                 const std::vector<uint32_t>& ends, const Show& show) {
  Written out;
  const auto start = common::system_clock().now();
  // A model may have more rows than its tokenizer has tokens.
  std::span<const float> logits = decoder.read(prompt);
  while (out.tokens.size() < most) {
    const uint32_t token = sampler.next(logits.first(tokenizer.vocabulary()));
    if (std::ranges::find(ends, token) != ends.end()) {
      out.stopped = "end";
      break;
    }
    out.tokens.push_back(token);
    show(token);
    if (decoder.position() == room) {
      out.stopped = "context";
      break;
    }
    if (out.tokens.size() < most) logits = decoder.read(std::span(&token, 1));
  }
  out.seconds = seconds_since(start);
  return out;
}

SamplingParams sampling_of(const CLI::App& verb) {
  return {.temperature = verb.get_option("--temperature")->as<double>(),
          .top_k = verb.get_option("--top-k")->as<uint32_t>(),
          .top_p = verb.get_option("--top-p")->as<double>(),
          .seed = verb.get_option("--seed")->as<uint64_t>()};
}

Result<int> run_generate(const CLI::App& verb) {
  TRY(const std::string prompt, prompt_of(verb));
  TRY(const HfFolder folder, HfFolder::open(common::given(verb, "folder")));
  TRY(const auto tokenizer, tokenizer_of(verb, folder));
  TRY(const std::vector<float> theta, folder.read_theta(progress_line("reading")));
  const common::ModelParams& model = folder.config().model;
  std::vector<uint32_t> tokens;
  if (const auto begin = begin_of(verb, folder)) tokens.push_back(*begin);
  for (const uint32_t token : tokenizer->encode(prompt)) tokens.push_back(token);
  // A document begins where one has ended.
  if (tokens.empty()) tokens.push_back(tokenizer->end_of_document());
  const auto most = verb.get_option("--max-tokens")->as<uint32_t>();
  const uint64_t wanted = tokens.size() + uint64_t{most};
  const auto room = static_cast<uint32_t>(std::min<uint64_t>(model.sequence_length, wanted));
  if (tokens.size() >= model.sequence_length) {
    return Error{Code::kInvalidArgument,
                 fmt::format("the prompt has {} tokens, and the model reads {}: shorten it",
                             tokens.size(), model.sequence_length)};
  }
  std::vector<uint32_t> ends = folder.config().end_tokens;
  ends.push_back(tokenizer->end_of_document());
  Decoder decoder(model, theta, room, static_cast<int>(threads_of(verb)));
  Sampler sampler(sampling_of(verb));
  const bool as_json = wants_json(verb);
  TextStream stream(*tokenizer);
  std::string text;
  const auto show = [&](const std::string& part) {
    text += part;
    if (!as_json) std::cout << part << std::flush;
  };
  // The prompt goes through the same stream, so that the text reads on without a seam.
  for (const uint32_t token : tokens) show(stream.push(token));
  const size_t prompt_shown = text.size();
  const Written written = write_on(decoder, sampler, tokens, most, room, *tokenizer, ends,
                                   [&](uint32_t token) { show(stream.push(token)); });
  show(stream.finish());
  const double speed = static_cast<double>(written.tokens.size()) / written.seconds;
  if (as_json) {
    std::cout << json{{"prompt", text.substr(0, prompt_shown)},
                      {"text", text.substr(prompt_shown)},
                      {"prompt_tokens", tokens},
                      {"tokens", written.tokens},
                      {"stopped", written.stopped},
                      {"tokens_per_second", speed}}
                     .dump(-1, ' ', false, json::error_handler_t::replace)
              << "\n";
  } else {
    std::cout << "\n";
    std::cerr << fmt::format("{} tokens, {:.1f} a second; stopped: {}\n", written.tokens.size(),
                             speed, written.stopped);
  }
  return common::kOk;
}

// -- eval -----------------------------------------------------------------------------------------

struct Judge {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Model> model;
};

Result<Judge> make_judge(const CLI::App& verb, const common::ModelParams& params) {
  const uint32_t threads = common::is_given(verb, "--threads") ? threads_of(verb) : 0;
  TRY(std::unique_ptr<Backend> backend, make_backend(common::given(verb, "--device"), threads));
  auto model = std::make_unique<Model>(params, *backend);
  return Judge{std::move(backend), std::move(model)};
}

ScoreOptions score_options_of(const CLI::App& verb, const HfFolder& folder) {
  ScoreOptions options;
  const uint32_t most = folder.config().model.sequence_length;
  options.sequence_length = std::min(most, kEvalLengthDefault);
  if (common::is_given(verb, "--sequence-length")) {
    options.sequence_length = std::min(most, verb.get_option("--sequence-length")->as<uint32_t>());
  }
  options.begin_token = begin_of(verb, folder);
  if (common::is_given(verb, "--samples")) {
    options.samples_max = verb.get_option("--samples")->as<uint64_t>();
  }
  options.progress = progress_line("scoring");
  return options;
}

Result<TextScore> score_files(const CLI::App& verb, const HfFolder& folder,
                              std::span<const float> theta, Judge& judge,
                              const ScoreOptions& options) {
  TRY(const auto tokenizer, tokenizer_of(verb, folder));
  std::vector<fs::path> paths;
  for (const auto& text : verb["files"]->as<std::vector<std::string>>()) paths.emplace_back(text);
  TRY(std::vector<fs::path> files, text_files(paths));
  TRY(TextReader reader, TextReader::open(std::move(files)));
  TRY(TextScore score, score_text(*judge.model, theta, *tokenizer, reader, options));
  if (reader.replaced_count() > 0) {
    std::cerr << fmt::format(
        "warning: {} stretches of the text are not UTF-8; each became U+FFFD\n",
        reader.replaced_count());
  }
  return score;
}

// The set must hold this model's tokens: the same tokenizer, where the folder has one.
Result<TextScore> score_set(const CLI::App& verb, const HfFolder& folder,
                            std::span<const float> theta, Judge& judge,
                            const ScoreOptions& options) {
  const std::string address = common::given(verb, "--data");
  TRY(const DatasetManifest manifest, read_manifest_at(address));
  if (manifest.vocabulary > folder.config().model.vocabulary) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} has tokens up to {}, the model knows {}: it was made with another "
                             "tokenizer",
                             address, manifest.vocabulary, folder.config().model.vocabulary)};
  }
  const auto tokenizer = tokenizer_of(verb, folder);
  if (tokenizer &&
      common::blake2b_256(common::view_of((*tokenizer)->model())) != manifest.tokenizer_hash) {
    return Error{Code::kInvalidArgument,
                 fmt::format("{} was made with another tokenizer than the model's; make it again "
                             "with 'muster data tokenize --tokenizer {}'",
                             address, folder.path().string())};
  }
  TRY(const Dataset dataset, Dataset::open(address, manifest.hash(), options.sequence_length));
  return score_dataset(*judge.model, theta, dataset, options);
}

Result<int> run_eval(const CLI::App& verb) {
  const bool of_set = common::is_given(verb, "--data");
  if (of_set == (verb.count("files") > 0)) {
    return Error{Code::kInvalidArgument, "name text files, or a data set with --data"};
  }
  TRY(const HfFolder folder, HfFolder::open(common::given(verb, "folder")));
  TRY(const std::vector<float> theta, folder.read_theta(progress_line("reading")));
  TRY(Judge judge, make_judge(verb, folder.config().model));
  const ScoreOptions options = score_options_of(verb, folder);
  const auto start = common::system_clock().now();
  auto scored = of_set ? score_set(verb, folder, theta, judge, options)
                       : score_files(verb, folder, theta, judge, options);
  TRY(const TextScore score, std::move(scored));
  const double speed = static_cast<double>(score.tokens) / seconds_since(start);
  if (wants_json(verb)) {
    std::cout << json{{"loss", score.loss()},
                      {"perplexity", score.perplexity()},
                      {"bits_per_byte", score.bits_per_byte()},
                      {"tokens", score.tokens},
                      {"bytes", score.bytes},
                      {"documents", score.documents},
                      {"sequence_length", options.sequence_length},
                      {"tokens_per_second", speed}}
                     .dump()
              << "\n";
    return common::kOk;
  }
  std::cout << fmt::format(
      "loss           {:.6f} nats a token\nperplexity     {:.4f}\nbits per byte  {:.6f}\n"
      "of             {} tokens, {:.0f} bytes, {} documents, in sequences of {}; {:.0f} tokens/s\n",
      score.loss(), score.perplexity(), score.bits_per_byte(), score.tokens, score.bytes,
      score.documents, options.sequence_length, speed);
  return common::kOk;
}

void add_generate(CLI::App& model, int& exit_code) {
  CLI::App& verb =
      common::add_verb(model, exit_code,
                       {"generate", "Let a model write on, token by token",
                        "muster model generate stories --prompt \"Lily had a\" --temperature 0"},
                       run_generate);
  verb.add_option("folder", "A Hugging Face folder")->required();
  verb.add_option("--prompt,-p", "What the text begins with");
  verb.add_option("--prompt-file", "The same from a file");
  verb.add_option("--max-tokens", "Stop after so many tokens, at the latest")
      ->check(CLI::Range(1U, 1U << 24))
      ->default_str("256");
  verb.add_option("--temperature,-t", "0: the likeliest token, always; 1: as the model says")
      ->check(CLI::Range(0.0, 100.0))
      ->default_str("1");
  verb.add_option("--top-k", "Draw only from the k likeliest tokens; 0: all")
      ->check(CLI::Range(0U, 1U << 24))
      ->default_str("0");
  verb.add_option("--top-p", "Draw only from the likeliest tokens that make up this probability")
      ->check(CLI::Range(1e-9, 1.0))
      ->default_str("0.9");
  verb.add_option("--seed", "The same seed writes the same text")->default_str("0");
  verb.add_option("--tokenizer", "Another tokenizer than the folder's");
  common::add_switch(verb, "--no-begin", "Leave out the token that the model's texts begin with");
  add_threads_flag(verb);
  add_json_flag(verb);
}

void add_eval(CLI::App& model, int& exit_code) {
  CLI::App& verb = common::add_verb(
      model, exit_code,
      {"eval", "Loss, perplexity and bits per byte of a model on a text",
       "muster model eval stories story.txt\n  muster model eval stories --data data/heldout"},
      run_eval);
  verb.add_option("folder", "A Hugging Face folder")->required();
  verb.add_option("files",
                  "UTF-8 text, or folders of *.txt; a line with a form feed alone ends a document")
      ->expected(1, -1);
  verb.add_option("--data", "A data set instead, of 'muster data tokenize'");
  verb.add_option("--samples", "Of a data set only so many sequences")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 60));
  verb.add_option("--sequence-length",
                  "Tokens that see each other (2048, or the model's if that is less)")
      ->check(CLI::Range(1U, 1U << 22));
  verb.add_option("--device", "cpu, cpu:<threads> or cuda:<ordinal>")->default_str("cpu");
  verb.add_option("--tokenizer", "Another tokenizer than the folder's");
  common::add_switch(verb, "--no-begin", "Leave out the token that the model's texts begin with");
  add_threads_flag(verb);
  add_json_flag(verb);
}

}  // namespace

void add_text_verbs(CLI::App& model, int& exit_code) {
  add_generate(model, exit_code);
  add_eval(model, exit_code);
}

}  // namespace train::cli
