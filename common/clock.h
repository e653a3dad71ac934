// Time is an argument: everything that waits or stamps is handed a Clock, so that a simulation
// turns it.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace common {

using std::chrono::milliseconds;

// Milliseconds since 1970-01-01 UTC, without leap seconds.
struct Instant {
  int64_t unix_ms = 0;
  auto operator<=>(const Instant&) const = default;
  friend Instant operator+(Instant at, milliseconds span) { return {at.unix_ms + span.count()}; }
  friend Instant operator-(Instant at, milliseconds span) { return {at.unix_ms - span.count()}; }
  friend milliseconds operator-(Instant later, Instant earlier) {
    return milliseconds(later.unix_ms - earlier.unix_ms);
  }
};

class Clock {
 public:
  virtual ~Clock() = default;

  virtual Instant now() = 0;
  // Returns true after `span`, or false early if the program was told to stop (`stop_requested`).
  virtual bool sleep(milliseconds span) = 0;
  virtual bool stop_requested() = 0;
};

// The machine's clock. `install_stop_signals` makes SIGINT and SIGTERM end its sleeps, once a
// process.
Clock& system_clock();
void install_stop_signals();

}  // namespace common
