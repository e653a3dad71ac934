#include "deploy/net/display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace deploy {
namespace {

// What a VT100 and all after it understand, but for the second page, which those without ignore.
constexpr std::string_view kSecondPage = "\033[?1049h\033[?25l";  // And no cursor.
constexpr std::string_view kFirstPage = "\033[?25h\033[?1049l";
constexpr std::string_view kHome = "\033[H";
constexpr std::string_view kClearLine = "\033[K";
constexpr std::string_view kClearBelow = "\033[J";

bool is_screen(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

ScreenSize size_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  // The last column stays free: a full line would leave the cursor where clearing eats its end.
  return {.columns = std::max<size_t>(size.ws_col, 2) - 1, .rows = size.ws_row};
}

}  // namespace

Display::Display(bool aside)
    : descriptor_(aside ? STDERR_FILENO : STDOUT_FILENO), live_(!aside && is_screen(descriptor_)) {}

void Display::show(const View& view, const Progress& progress) {
  if (!live_) return show_lines(view, progress);
  std::string frame(open_ ? "" : kSecondPage);
  open_ = true;
  frame += kHome;
  // Every line is cleared behind its text and none ends with a line feed but between two: so
  // nothing scrolls, and nothing blinks.
  bool first = true;
  for (const std::string& line : render_screen(view, progress, size_of(descriptor_))) {
    if (!first) frame += "\r\n";
    first = false;
    frame += line;
    frame += kClearLine;
  }
  frame += kClearBelow;
  write(frame);
}

void Display::show_lines(const View& view, const Progress& progress) {
  for (; events_shown_ < view.events.size(); ++events_shown_) {
    write(view.events[events_shown_] + "\n");
  }
  if (begun_ && view.window != last_window_) write(render_line(view, progress) + "\n");
  begun_ = true;
  last_window_ = view.window;
}

void Display::close() {
  if (open_) write(std::string(kFirstPage));
  open_ = false;
}

// Past the streams' buffers: a frame is one write. What a closed terminal does not take is lost.
void Display::write(const std::string& text) const {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written <= 0) return;
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace deploy
