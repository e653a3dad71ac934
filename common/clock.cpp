#include "common/clock.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "common/check.h"

namespace common {
namespace {

std::atomic<bool> stop_flag{false};
int stop_pipe[2] = {-1, -1};  // Readable once a stop was asked for: a sleeper polls it.

void on_stop_signal(int) {
  stop_flag = true;
  const char byte = 0;
  [[maybe_unused]] const auto written = write(stop_pipe[1], &byte, 1);
}

class SystemClock final : public Clock {
 public:
  Instant now() override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<milliseconds>(since_epoch).count()};
  }

  bool sleep(milliseconds span) override {
    const auto end = std::chrono::steady_clock::now() + span;
    while (!stop_flag) {
      const auto left =
          std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now()).count();
      if (left <= 0) return true;
      pollfd wakeup{stop_pipe[0], POLLIN, 0};
      poll(&wakeup, stop_pipe[0] < 0 ? 0 : 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    }
    return false;
  }

  bool stop_requested() override { return stop_flag; }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

void install_stop_signals() {
  if (stop_pipe[0] >= 0) return;
  CHECK(pipe(stop_pipe) == 0);
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace common
