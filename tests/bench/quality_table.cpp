#include "tests/bench/quality_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace bench {
namespace {

using nlohmann::json;

// Runs that differ in their seed alone.
struct Group {
  json settings;  // Without the seed.
  std::vector<const json*> runs;

  bool diverged() const {
    return std::any_of(runs.begin(), runs.end(),
                       [](const json* r) { return !r->contains("loss"); });
  }
  double mean(const char* field) const {
    double sum = 0;
    for (const json* run : runs) sum += run->value(field, std::nan(""));
    return sum / static_cast<double>(runs.size());
  }
  // Of the seeds; of one run its standard error over sequences.
  double spread() const {
    if (runs.size() == 1) return runs.front()->at("standard_error").get<double>();
    const double middle = mean("loss");
    double squares = 0;
    for (const json* run : runs) squares += std::pow(run->at("loss").get<double>() - middle, 2);
    return std::sqrt(squares / static_cast<double>(runs.size() - 1));
  }
  double loss() const { return diverged() ? 1e9 : mean("loss"); }
};

std::vector<Group> groups_of(const std::vector<const json*>& lines) {
  std::map<std::string, Group> groups;
  for (const json* line : lines) {
    json settings = line->at("settings");
    settings.erase("seed");
    Group& group = groups[settings.dump()];
    group.settings = settings;
    group.runs.push_back(line);
  }
  std::vector<Group> sorted;
  for (auto& [key, group] : groups) sorted.push_back(std::move(group));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Group& a, const Group& b) { return a.loss() < b.loss(); });
  return sorted;
}

// Loss less the baseline's, over the sequences of every seed that both have, and its standard
// error: sequences differ far more from each other than methods do.
std::string paired(const Group& group, const Group& baseline) {
  std::vector<double> differences;
  for (const json* run : group.runs) {
    for (const json* base : baseline.runs) {
      if (run->at("settings").at("seed") != base->at("settings").at("seed")) continue;
      const json& a = run->at("losses");
      const json& b = base->at("losses");
      for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
        differences.push_back(a[i].get<double>() - b[i].get<double>());
      }
    }
  }
  if (differences.empty()) return "";
  const auto count = static_cast<double>(differences.size());
  const double mean = std::accumulate(differences.begin(), differences.end(), 0.0) / count;
  double squares = 0;
  for (const double one : differences) squares += (one - mean) * (one - mean);
  return fmt::format("{:+.3f} ({:.3f}), {:+.1f} %", mean, std::sqrt(squares / (count - 1) / count),
                     100 * mean / baseline.mean("loss"));
}

std::string method_of(const json& s) {
  const auto method = s.at("method").get<std::string>();
  if (method == "adamw") return "AdamW";
  if (method == "muon") return "Muon";
  if (method == "dense") return s.at("outer_momentum") > 0 ? "DiLoCo" : "dense, averaged";
  return method;
}

// What is not the same in every run of the method.
std::string settings_of(const json& s) {
  const auto number = [&](const char* key) { return s.at(key).get<double>(); };
  std::string text = fmt::format("{} x {}", number("miners"), number("sequences"));
  const bool alone = s.at("method") == "adamw" || s.at("method") == "muon";
  const bool signs = s.at("method") == "demo" || s.at("method") == "distro";
  const bool dense = s.at("method") == "dense";
  if (!alone) text += fmt::format(", H {}", number("steps"));
  text += fmt::format(", rate {}", number("inner_rate"));
  if (!alone && !dense) {
    text += fmt::format(", {:.1f} %, decay {}", number("keep") / 40.96, number("feedback_decay"));
    text += ", " + s.at("divide").get<std::string>();
  }
  if (!alone && !signs) text += fmt::format(", outer {}", number("outer_rate"));
  if (number("outer_momentum") > 0) text += fmt::format(", Nesterov {}", number("outer_momentum"));
  if (number("outer_warmup") > 0) text += fmt::format(", warm-up {}", number("outer_warmup"));
  if (number("outer_tail") > 0) {
    text += fmt::format(", to {} in the last {}", number("outer_end"), number("outer_tail"));
  }
  if (number("look_ahead") > 0) text += fmt::format(", look-ahead {}", number("look_ahead"));
  if (number("forget") > 0) text += fmt::format(", forget {}", number("forget"));
  if (number("smooth") > 0) text += fmt::format(", smooth {}", number("smooth"));
  if (s.value("inner_optimiser", "adamw") == "muon") text += ", Muon";
  const double muon_ratio = s.value("muon_ratio", 1.0);
  if (muon_ratio != 1) text += fmt::format(", embeddings at {}", muon_ratio);
  for (const auto& [key, usual] : std::map<std::string, double>{
           {"beta1", 0.9}, {"beta2", 0.95}, {"weight_decay", 0.1}, {"final_ratio", 0.1}}) {
    if (s.at(key) != usual) text += fmt::format(", {} {}", key, number(key.c_str()));
  }
  return text;
}

// Mean over seeds at fractions of the tokens.
std::string curve_of(const Group& group) {
  std::string text;
  for (const size_t point : {1u, 2u, 4u, 8u, 12u}) {
    double sum = 0;
    for (const json* run : group.runs) {
      const json& curve = run->at("curve");
      if (point >= curve.size()) return text + " -";
      sum += curve[point][1].get<double>();
    }
    text += fmt::format("{}{:.3f}", text.empty() ? "" : " ",
                        sum / static_cast<double>(group.runs.size()));
  }
  return text;
}

std::string row_of(const Group& group, const Group* baseline) {
  const json& run = *group.runs.front();
  const auto bytes = run.at("bytes_sent").get<double>();
  std::string sent = "- | -";
  if (bytes > 0) {
    const double plain = 4.0 * run.at("parameters").get<double>() *
                         run.at("windows").get<double>() *
                         group.settings.at("miners").get<double>();
    sent = fmt::format("{:.2f} MB | {:.0f}", bytes / 1e6, plain / bytes);
  }
  const std::string head =
      fmt::format("| {} | {} |", method_of(group.settings), settings_of(group.settings));
  if (group.diverged()) return head + " diverged | | | " + curve_of(group) + " | " + sent + " |\n";
  const double flushed = group.mean("flushed_loss");
  return head + fmt::format(" {:.4f} ({:.4f}, {}) | {} | {} | {} | {} |\n", group.loss(),
                            group.spread(), group.runs.size(),
                            baseline != nullptr ? paired(group, *baseline) : "",
                            std::isnan(flushed) ? "-" : fmt::format("{:.4f}", flushed),
                            curve_of(group), sent);
}

std::string table_of(const std::vector<const json*>& lines) {
  const std::vector<Group> groups = groups_of(lines);
  const auto baseline = std::find_if(groups.begin(), groups.end(), [](const Group& group) {
    return group.settings.at("method") == "adamw" && !group.diverged();
  });
  std::string text =
      "| method | miners x sequences a step, settings | held-out loss (spread, seeds) | against "
      "the best AdamW | with the residuals | at 1/16, 1/8, 1/4, 1/2, 3/4 | sent | fp32 / sent |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Group& group : groups) {
    text += row_of(group, baseline != groups.end() ? &*baseline : nullptr);
  }
  return text;
}

}  // namespace

std::string quality_table(const std::vector<json>& lines, const std::string& model) {
  std::map<std::string, std::vector<const json*>> parts;
  for (const json& line : lines) {
    const json& s = line.at("settings");
    if (!model.empty() && s.at("model") != model) continue;
    parts[fmt::format("{}, {} tokens, text {}, {}", s.at("model").get<std::string>(),
                      s.at("tokens").get<uint64_t>(), s.at("data").get<std::string>(),
                      s.at("precision").get<std::string>())]
        .push_back(&line);
  }
  std::string text;
  for (const auto& [title, part] : parts) text += "\n" + title + "\n\n" + table_of(part);
  return text;
}

}  // namespace bench
