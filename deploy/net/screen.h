// The live screen, as text: pure, so that a test can read it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/net/view.h"

namespace deploy {

struct Progress {
  uint64_t windows_done = 0;
  uint64_t windows_wanted = 0;
  double seconds = 0;  // Since the run began.
};

struct ScreenSize {
  size_t columns = 120;
  size_t rows = 40;
};

// Lines of at most `columns` characters, at most `rows` of them, without colours: window, phase and
// the time left, held-out loss and its history as a small chart, a line per neuron, the last
// events. On a narrow terminal the columns that matter least are left out; on a low one the events,
// then nodes.
std::vector<std::string> render_screen(const View& view, const Progress& progress, ScreenSize size);

// The neurons' lines, headers first, and nothing else.
std::vector<std::string> render_table(const View& view, size_t columns);

// One line for a log, about the window before the one that runs.
std::string render_line(const View& view, const Progress& progress);

// One bar a value, the lowest the smallest; the newest `bars_max` of them.
std::string chart(const std::vector<std::pair<uint64_t, double>>& history, size_t bars_max);

// Phases in proportion, what is over filled in: "████░░░│░│░│░░░".
std::string phase_bar(const View& view, size_t columns);

// Cut to `columns` characters; UTF-8 stays whole.
std::string clip(std::string_view line, size_t columns);

// "3.2 MB", "870 B".
std::string human_bytes(uint64_t bytes);

}  // namespace deploy
