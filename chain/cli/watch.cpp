#include "chain/cli/watch.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/clock.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;

constexpr std::string_view kClear = "\x1b[H\x1b[2J\x1b[3J";

// Of a node that may be back soon, or of a block that a fork took away.
bool is_passing(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout ||
         error.code == Code::kNotFound;
}

void print_shown(const CLI::App& verb, const Shown& shown, bool clear) {
  if (wants_json(verb)) {
    print(shown.value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  } else if (clear) {
    print(std::string(kClear) + shown.text + "\nCtrl-C ends this.\n");
  } else {
    print(shown.text);
  }
}

}  // namespace

void add_watch_flag(CLI::App& verb, const std::string& what) {
  common::add_switch(verb, "--watch", what);
}
bool wants_watch(const CLI::App& verb) { return common::is_given(verb, "--watch"); }

int show_once(const CLI::App& verb, const Shown& shown) {
  if (wants_json(verb)) {
    print_json(shown.value);
  } else {
    print(shown.text);
  }
  return common::kOk;
}

Result<int> watch(const CLI::App& verb, Explorer& explorer, Redraw redraw, const Show& show) {
  common::install_stop_signals();
  const bool clear = redraw == Redraw::kYes && isatty(STDOUT_FILENO) == 1;
  std::optional<Error> trouble;
  bool first = true;
  const auto watched = explorer.watch([&](const Block& block) {
    const auto shown = show(block);
    if (shown) {
      print_shown(verb, *shown, clear);
    } else if (first || !is_passing(shown.error())) {
      trouble = shown.error();
    } else {
      std::cerr << "muster: block " << block.number.index << ": " << shown.error().message
                << std::endl;
    }
    first = false;
    return !trouble;
  });
  if (common::system_clock().stop_requested()) return common::kOk;
  if (trouble) return *trouble;
  if (!watched) return watched.error();
  return common::kOk;
}

}  // namespace chain::cli
