#include "validator/cli/scores_folder.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "common/node_config.h"

namespace validator::cli {

void add_scores_flags(CLI::App& verb) {
  verb.add_option("--config", "The node's configuration (node.json): its scores");
  verb.add_option("--scores", "Or a folder of scores");
  verb.add_option("--hparams", "With --scores: the network's hparams.json");
  common::add_switch(verb, "--json", "Print JSON");
}

Result<OpenedScores> open_scores(const CLI::App& verb) {
  using common::given;
  std::filesystem::path folder = given(verb, "--scores");
  std::filesystem::path hparams_file = given(verb, "--hparams");
  const std::string config_file = given(verb, "--config");
  if (config_file.empty() == folder.empty() || folder.empty() != hparams_file.empty()) {
    return Error{Code::kInvalidArgument,
                 "say whose scores: --config node.json, or --scores FOLDER --hparams FILE"};
  }
  if (!config_file.empty()) {
    TRY(const common::NodeConfig config, common::NodeConfig::load(config_file));
    folder = config.data / "scores";
    hparams_file = config.hparams;
  }
  TRY(const common::Hparams hparams, common::Hparams::load(hparams_file));
  TRY(ScoreStore store, ScoreStore::open(folder, hparams, ScoreStore::Mode::kReadOnly));
  return OpenedScores{hparams, std::move(store)};
}

Result<std::optional<uint64_t>> number_given(const CLI::App& verb, const char* name) {
  const std::string text = common::given(verb, name);
  if (text.empty()) return std::optional<uint64_t>();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{Code::kInvalidArgument,
                 std::string(name) + " should be a number, and is '" + text.substr(0, 40) + "'"};
  }
  return std::optional(value);
}

Result<Record> record_given(const CLI::App& verb, const ScoreStore& store) {
  const auto range = store.range();
  if (!range) return Error{Code::kNotFound, "no window was scored yet"};
  TRY(const std::optional<uint64_t> index, number_given(verb, "WINDOW"));
  const Window window{index.value_or(range->second.index)};
  auto record = store.read(window);
  if (!record && record.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, "window " + std::to_string(window.index) +
                                      " was not scored; windows " +
                                      std::to_string(range->first.index) + " to " +
                                      std::to_string(range->second.index) + " are there"};
  }
  return record;
}

}  // namespace validator::cli
