#include "validator/audit_verbs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "validator/audit.h"
#include "validator/cli/explain.h"
#include "validator/cli/scores_folder.h"
#include "validator/report.h"

namespace validator {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

Result<int> audit_scores(const CLI::App& verb) {
  TRY(const cli::OpenedScores scores, cli::open_scores(verb));
  TRY(const Audit result, audit(scores.store, scores.hparams));
  if (common::is_given(verb, "--json")) {
    const json shown = {{"ok", result.ok},
                        {"windows", result.windows},
                        {"peers", result.peers},
                        {"differences", result.differences}};
    std::cout << shown.dump() << "\n";
  } else {
    for (const std::string& difference : result.differences) std::cout << difference << "\n";
    std::cout << fmt::format("{} windows recomputed, {}\n", result.windows,
                             result.ok ? "equal bit for bit" : "and they differ");
  }
  return result.ok ? common::kOk : common::kFailed;
}

double share_of(const Record& record, Uid uid) {
  for (const Share& share : record.weights) {
    if (share.uid == uid) return share.share;
  }
  return 0;
}

// record_json, and each standing's score and hold beside it.
json scored_json(const Record& record, const common::Hparams& hparams) {
  json shown = record_json(record);
  for (size_t i = 0; i < record.board.standings.size(); ++i) {
    const Standing& standing = record.board.standings[i];
    shown["standings"][i]["score"] = score(standing, hparams);
    shown["standings"][i]["hold"] = name(hold_of(standing, hparams));
    shown["standings"][i]["weight"] = share_of(record, standing.uid);
  }
  return shown;
}

Result<int> show_scores(const CLI::App& verb) {
  TRY(const cli::OpenedScores scores, cli::open_scores(verb));
  TRY(const Record record, cli::record_given(verb, scores.store));
  if (common::is_given(verb, "--json")) {
    std::cout << scored_json(record, scores.hparams).dump() << "\n";
    return common::kOk;
  }
  std::cout << fmt::format("window {}, record {}\n", record.evidence.window.index,
                           record.hash.brief());
  std::cout << fmt::format(
      "{:>5}  {:<10}  {:<14}  {:>9}  {:>8}  {:>6}  {:>7}  {:>6}  {:>9}  {:>8}\n", "uid", "hotkey",
      "verdict", "gain", "mu", "sigma", "advant.", "multi.", "score", "weight");
  for (const Standing& standing : record.board.standings) {
    const std::string_view hold = name(hold_of(standing, scores.hparams));
    std::cout << fmt::format(
        "{:>5}  {:<10}  {:<14}  {:>+9.5f}  {:>8.3f}  {:>6.3f}  {:>+7.3f}  {:>6.3f}  {:>9.5f}  "
        "{:>8.6f}{}{}\n",
        standing.uid.index, standing.hotkey.ss58().substr(0, 8) + "..", name(standing.last_verdict),
        standing.last_gain, standing.mu, standing.sigma, standing.advantage, standing.multiplier,
        score(standing, scores.hparams), share_of(record, standing.uid), hold.empty() ? "" : "  ",
        hold);
  }
  return common::kOk;
}

// The board that the record of `window` came from.
Result<Scoreboard> board_before(const ScoreStore& store, Window window) {
  TRY(const std::vector<Window> windows, store.windows());
  const auto at = std::lower_bound(windows.begin(), windows.end(), window);
  if (at == windows.begin()) return Scoreboard{};
  TRY(Record record, store.read(*(at - 1)));
  return std::move(record.board);
}

Result<int> explain_score(const CLI::App& verb) {
  TRY(const cli::OpenedScores scores, cli::open_scores(verb));
  TRY(const Record record, cli::record_given(verb, scores.store));
  TRY(const std::optional<uint64_t> number, cli::number_given(verb, "UID"));
  if (!number || *number > 65535) {
    return Error{Code::kInvalidArgument, "UID should be 0 to 65535"};
  }
  const Uid uid{static_cast<uint16_t>(*number)};
  TRY(const Scoreboard before, board_before(scores.store, record.evidence.window));
  TRY(const std::string text, cli::explain(record, before, uid, scores.hparams));
  std::cout << text;
  return common::kOk;
}

Result<int> export_scores(const CLI::App& verb) {
  TRY(const cli::OpenedScores scores, cli::open_scores(verb));
  TRY(const std::optional<uint64_t> from, cli::number_given(verb, "--from"));
  TRY(const std::optional<uint64_t> to, cli::number_given(verb, "--to"));
  TRY(const std::vector<Window> windows, scores.store.windows());
  for (const Window window : windows) {
    if (window.index < from.value_or(0) || (to && window.index > *to)) continue;
    TRY(const Record record, scores.store.read(window));
    std::cout << scored_json(record, scores.hparams).dump() << "\n";
  }
  return common::kOk;
}

}  // namespace

void add_audit_verbs(CLI::App& program, int& exit_code) {
  cli::add_scores_flags(common::add_verb(
      program, exit_code,
      {"audit", "Recompute every score from the stored evidence, and compare bit for bit",
       "muster-validator audit --config node.json"},
      audit_scores));
  CLI::App& scores =
      common::add_verb(program, exit_code,
                       {"scores", "Standings and weights after a window (default: the last)",
                        "muster-validator scores --config node.json"},
                       show_scores);
  scores.add_option("WINDOW", "The window");
  cli::add_scores_flags(scores);
  CLI::App& explain =
      common::add_verb(program, exit_code,
                       {"explain", "How one peer came by its score in a window, step by step",
                        "muster-validator explain 12 3 --config node.json"},
                       explain_score);
  explain.add_option("WINDOW", "The window")->required();
  explain.add_option("UID", "The peer")->required();
  cli::add_scores_flags(explain);
  CLI::App& lines =
      common::add_verb(program, exit_code,
                       {"export", "Evidence, standings and weights as JSON, a line a window",
                        "muster-validator export --config node.json --from 10 --to 20"},
                       export_scores);
  lines.add_option("--from", "First window (default: the first stored)");
  lines.add_option("--to", "Last window (default: the last stored)");
  cli::add_scores_flags(lines);
}

}  // namespace validator
