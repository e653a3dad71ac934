#include "deploy/net/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace deploy {
namespace {

using common::Role;

constexpr std::array<std::string_view, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr size_t kEventsShown = 4;
constexpr size_t kPhaseBarMax = 48;

std::string tao(uint64_t rao) { return fmt::format("{:.2f}", static_cast<double>(rao) / 1e9); }

// --- The table: every column says what it shows and how much it matters. ---

struct Column {
  std::string_view head;
  std::string_view unit;
  size_t width;
  bool left;        // Text is put to the left, numbers to the right.
  int dispensable;  // The highest is left out first; 0 never.
  std::string (*cell)(const NodeView&);
};

std::string of_miner(const NodeView& node, const char* format, double Judgement::*field) {
  if (!node.judgement) return "-";
  return fmt::format(fmt::runtime(format), (*node.judgement).*field);
}

const std::array<Column, 11> kColumns = {{
    {"uid", "", 3, false, 0,
     [](const NodeView& n) { return n.uid ? std::to_string(n.uid->index) : "-"; }},
    {"role", "", 12, true, 0, [](const NodeView& n) { return n.name; }},
    {"state", "", 17, true, 5, [](const NodeView& n) { return n.phase; }},
    {"loss gain", "nats", 9, false, 0,
     [](const NodeView& n) { return of_miner(n, "{:+.4f}", &Judgement::gain); }},
    {"own adv", "-1..1", 7, false, 0,
     [](const NodeView& n) { return of_miner(n, "{:+.2f}", &Judgement::advantage); }},
    {"rating", "mu", 6, false, 0,
     [](const NodeView& n) { return of_miner(n, "{:.2f}", &Judgement::rating); }},
    {"weight", "share", 6, false, 3,
     [](const NodeView& n) { return of_miner(n, "{:.4f}", &Judgement::weight); }},
    {"incentive", "share", 9, false, 0,
     [](const NodeView& n) { return fmt::format("{:.4f}", n.incentive); }},
    {"balance", "TAO", 10, false, 2, [](const NodeView& n) { return tao(n.balance_rao); }},
    {"sent", "bytes", 8, false, 4,
     [](const NodeView& n) {
       return n.role == Role::kMiner ? human_bytes(n.bytes_sent) : std::string("-");
     }},
    {"verdict", "last window", 11, true, 0, [](const NodeView& n) { return n.verdict; }},
}};

std::vector<const Column*> fitting(size_t columns) {
  std::vector<const Column*> chosen;
  size_t width = 0;
  for (const Column& column : kColumns) {
    chosen.push_back(&column);
    width += column.width + 2;
  }
  while (width > columns + 2) {
    const auto least = std::max_element(
        chosen.begin(), chosen.end(),
        [](const Column* a, const Column* b) { return a->dispensable < b->dispensable; });
    if ((*least)->dispensable == 0) break;
    width -= (*least)->width + 2;
    chosen.erase(least);
  }
  return chosen;
}

template <typename Text>
std::string table_line(const std::vector<const Column*>& chosen, Text text) {
  std::string line;
  for (const Column* column : chosen) {
    if (!line.empty()) line += "  ";
    const std::string cell(text(*column));
    line += column->left ? fmt::format("{:<{}}", cell, column->width)
                         : fmt::format("{:>{}}", cell, column->width);
  }
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

// --- Above the table. ---

// Which phase runs, and the blocks until it ends.
std::pair<std::string, uint64_t> phase_of(const View& view) {
  for (const PhaseEnd& phase : view.phases) {
    if (view.block_of_window < phase.block) {
      return {phase.name, phase.block - view.block_of_window};
    }
  }
  return {"", 0};
}

std::string head_line(const View& view, const Progress& progress) {
  return fmt::format("muster localnet   window {}   {} of {} done   block {}   {:.0f} s",
                     view.window, progress.windows_done, progress.windows_wanted, view.block,
                     progress.seconds);
}

std::string phase_line(const View& view, size_t columns) {
  if (!view.ledger_answers) return "phase          the ledger does not answer";
  const auto [name, blocks] = phase_of(view);
  const uint64_t in_window = view.phases.empty() ? 0 : view.phases.back().block;
  const std::string left = fmt::format(
      "  {}: {:.0f} s left, window: {:.0f} s", name, static_cast<double>(blocks) * view.block_s,
      static_cast<double>(in_window - view.block_of_window) * view.block_s);
  const size_t used = 15 + left.size();
  const size_t room = columns > used ? std::min(columns - used, kPhaseBarMax) : 0;
  return "phase          " + phase_bar(view, room) + left;
}

std::string loss_line(const View& view, size_t columns) {
  if (view.heldout.empty()) return "held-out loss  not measured yet";
  const std::string numbers = fmt::format("held-out loss  {:.4f} nats a token, at first {:.4f}  ",
                                          view.heldout.back().second, view.heldout.front().second);
  const size_t room = columns > numbers.size() ? columns - numbers.size() : 0;
  return numbers + chart(view.heldout, std::min<size_t>(room, 60));
}

}  // namespace

std::string human_bytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  const double value = static_cast<double>(bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", value / 1e3);
  if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.2f} GB", value / 1e9);
}

std::string clip(std::string_view line, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (begins && characters++ == columns) return std::string(line.substr(0, i));
  }
  return std::string(line);
}

std::string chart(const std::vector<std::pair<uint64_t, double>>& history, size_t bars_max) {
  const size_t first = history.size() > bars_max ? history.size() - bars_max : 0;
  if (first == history.size()) return "";
  double low = history[first].second;
  double high = low;
  for (size_t i = first; i < history.size(); ++i) {
    low = std::min(low, history[i].second);
    high = std::max(high, history[i].second);
  }
  std::string bars;
  for (size_t i = first; i < history.size(); ++i) {
    const double height = high > low ? (history[i].second - low) / (high - low) : 0.0;
    bars += kBars[static_cast<size_t>(height * 7.0 + 0.5)];
  }
  return bars;
}

std::string phase_bar(const View& view, size_t columns) {
  if (view.phases.empty() || columns < 4 * view.phases.size()) return "";
  const uint64_t blocks = view.phases.back().block;
  std::string bar;
  size_t boundary = 0;  // Of view.phases: the next end to be drawn.
  for (size_t i = 0; i < columns; ++i) {
    const uint64_t at = i * blocks / columns;
    if (boundary + 1 < view.phases.size() && at >= view.phases[boundary].block) {
      ++boundary;
      bar += "│";
    } else {
      bar += at < view.block_of_window ? "█" : "░";
    }
  }
  return bar;
}

std::vector<std::string> render_table(const View& view, size_t columns) {
  const std::vector<const Column*> chosen = fitting(columns);
  std::vector<std::string> lines = {
      table_line(chosen, [](const Column& column) { return column.head; }),
      table_line(chosen, [](const Column& column) { return column.unit; })};
  for (const NodeView& node : view.nodes) {
    lines.push_back(
        table_line(chosen, [&node](const Column& column) { return column.cell(node); }));
  }
  return lines;
}

std::vector<std::string> render_screen(const View& view, const Progress& progress,
                                       ScreenSize size) {
  std::vector<std::string> lines = {head_line(view, progress), phase_line(view, size.columns),
                                    loss_line(view, size.columns), ""};
  const std::vector<std::string> table = render_table(view, size.columns);
  lines.insert(lines.end(), table.begin(), table.end());
  const size_t events = std::min(view.events.size(), kEventsShown);
  if (events > 0) lines.emplace_back();
  for (size_t i = view.events.size() - events; i < view.events.size(); ++i) {
    lines.push_back(view.events[i]);
  }
  for (std::string& line : lines) line = clip(line, size.columns);
  if (lines.size() > size.rows) lines.resize(size.rows);
  return lines;
}

std::string render_line(const View& view, const Progress& progress) {
  size_t miners = 0;
  size_t accepted = 0;
  for (const NodeView& node : view.nodes) {
    if (node.role != Role::kMiner) continue;
    ++miners;
    if (node.verdict == "accepted") ++accepted;
  }
  const std::string loss =
      view.heldout.empty() ? "not measured yet" : fmt::format("{:.4f}", view.heldout.back().second);
  return fmt::format(
      "{:4.0f} s  window {} is over, {} of {} done  held-out loss {}  {} of {} accepted",
      progress.seconds, view.window == 0 ? 0 : view.window - 1, progress.windows_done,
      progress.windows_wanted, loss, accepted, miners);
}

}  // namespace deploy
