// Shows a run: a live screen on a terminal, a line per window elsewhere.
#pragma once

#include <cstdint>

#include "deploy/net/screen.h"
#include "deploy/net/view.h"

namespace deploy {

// The live screen has the terminal's second page, so that nothing of it is left behind: not when
// the terminal is resized, not when the run ends. One at a time.
class Display {
 public:
  // Writes to standard output; with `aside`, and then only lines, to standard error: standard
  // output is for the report.
  explicit Display(bool aside);
  ~Display() { close(); }
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  void show(const View& view, const Progress& progress);
  // Gives the terminal back as it was.
  void close();

 private:
  void show_lines(const View& view, const Progress& progress);
  void write(const std::string& text) const;

  int descriptor_;
  bool live_;
  bool open_ = false;
  bool begun_ = false;
  uint64_t last_window_ = 0;
  size_t events_shown_ = 0;
};

}  // namespace deploy
