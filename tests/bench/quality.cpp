// Does it train as well? One model on one text, to equal tokens, by each method: held-out loss
// against bytes sent. Run by hand; a run is one line of the results file, and is not run twice. The
// text is made by the first run (quality_text.py).
//
//   quality screen    many settings: 1.3 million parameters, 4 million tokens
//   quality confirm   the best of each kind: 5 million parameters, 20 million tokens, three seeds
//   quality run PLAN  a JSON object a line, of the fields of QualitySettings; a list is a run each
//   quality table     what the results file holds, in Markdown
//
// Two processes may share a results file: each takes runs that the other is not at.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "common/clock.h"
#include "tests/bench/quality_ground.h"
#include "tests/bench/quality_results.h"
#include "tests/bench/quality_run.h"
#include "tests/bench/quality_table.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

struct Options {
  fs::path results;
  fs::path tokens;
  fs::path plan;
  std::string precision = "bf16";
  bool follow = false;
  std::string model;
};

fs::path default_folder() {
  const char* home = std::getenv("HOME");
  return (home != nullptr ? fs::path(home) / ".cache" : fs::temp_directory_path()) /
         "muster/quality";
}

// The runs of a plan, in its order. Empty lines and lines that begin with # are for people.
Result<std::vector<QualitySettings>> read_plan(const fs::path& file) {
  std::ifstream in(file);
  if (!in) return Error{Code::kNotFound, file.string() + ": cannot be read"};
  std::vector<QualitySettings> runs;
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const auto object = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    const std::string where = file.string() + ":" + std::to_string(number);
    if (!object.is_object()) return Error{Code::kInvalidArgument, where + ": not a JSON object"};
    for (const json& one : combinations(object)) {
      auto settings = QualitySettings::parse(one);
      if (!settings) return common::within(where, settings.error());
      runs.push_back(*settings);
    }
  }
  return runs;
}

// Takes the first run of the plan that nobody has done or is at. False: there is none.
Result<bool> run_next(const Options& options, QualityResults& results) {
  const train::Precision precision =
      options.precision == "bf16" ? train::Precision::kBf16 : train::Precision::kFp32;
  TRY(const auto plan, read_plan(options.plan));
  TRY_VOID(results.refresh());
  std::unique_ptr<QualityGround> ground;
  for (const QualitySettings& settings : plan) {
    if (!ground) {  // Which text it is does not depend on the settings.
      TRY(ground, QualityGround::open(options.tokens, settings, precision));
    }
    const json identity = identity_of(settings, *ground, precision);
    if (results.has(identity)) continue;
    const auto claim = results.claim(identity);
    if (!claim) continue;
    TRY(const auto own, QualityGround::open(options.tokens, settings, precision));
    std::cerr << settings.to_json().dump() << std::endl;
    const auto line = run_quality(settings, *own, identity,
                                  [] { return common::system_clock().stop_requested(); });
    if (!line) return Error{Code::kCancelled, "stopped; the run that was not over begins again"};
    TRY_VOID(results.add(*line));
    std::cerr << "  " << (line->contains("loss") ? line->at("loss").dump() : "diverged") << "  "
              << line->at("cpu_seconds") << " s" << std::endl;
    return true;
  }
  return false;
}

Result<int> run_plan(const Options& options) {
  constexpr common::milliseconds kLook{20'000};
  common::install_stop_signals();
  TRY_VOID(prepare_tokens(options.tokens));
  TRY(QualityResults results, QualityResults::open(options.results));
  for (;;) {
    const auto ran = run_next(options, results);
    const bool bad_plan = !ran && ran.error().code == Code::kInvalidArgument;
    if (!ran && !(bad_plan && options.follow)) return ran.error();
    if (bad_plan) std::cerr << "quality: " << ran.error().message << std::endl;  // Somebody edits.
    if (ran && *ran) continue;
    if (!options.follow) return 0;
    if (!common::system_clock().sleep(kLook)) return 0;
  }
}

Result<int> print_table(const Options& options) {
  TRY(const QualityResults results, QualityResults::open(options.results));
  std::cout << quality_table(results.lines(), options.model);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.results = default_folder() / "results.jsonl";
  options.tokens = default_folder() / "tokens";
  CLI::App app("Held-out loss against bytes sent, at equal tokens, by each method");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--results", options.results, "Where the runs' lines are kept")
      ->capture_default_str();
  app.add_option("--tokens", options.tokens, "Token sets: train and heldout; made if absent")
      ->capture_default_str();
  app.add_option("--precision", options.precision, "Of the products: bf16 or fp32")
      ->check(CLI::IsMember({"bf16", "fp32"}))
      ->capture_default_str();
  app.add_subcommand("screen", "The plan of tests/bench/quality_screen.jsonl")->callback([&] {
    options.plan = MUSTER_SOURCE_DIR "/tests/bench/quality_screen.jsonl";
  });
  app.add_subcommand("confirm", "The plan of tests/bench/quality_confirm.jsonl")->callback([&] {
    options.plan = MUSTER_SOURCE_DIR "/tests/bench/quality_confirm.jsonl";
  });
  CLI::App* const run = app.add_subcommand("run", "The plan of a file");
  run->add_option("plan", options.plan, "A JSON object a line")->required();
  run->add_flag("--follow", options.follow, "When all is done, wait for lines to be added");
  CLI::App* const table = app.add_subcommand("table", "The results, in Markdown");
  table->add_option("--model", options.model, "Of one model only: 1m or 5m");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failed) {
    return app.exit(failed) == 0 ? 0 : 2;
  }
  const Result<int> code = table->parsed() ? print_table(options) : run_plan(options);
  if (code) return *code;
  std::cerr << "quality: " << code.error().message << "\n";
  return code.error().code == Code::kInvalidArgument ? 2 : 1;
}

}  // namespace bench

int main(int argc, char** argv) { return bench::main(argc, argv); }
