// Child processes that do not outlive us.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/result.h"

namespace deploy {

// One running program. It is told to stop when this ends, and killed if it does not within ten
// seconds; if we are killed, the kernel tells it to stop. Move only.
class Process {
 public:
  // Standard output and error go to the end of `log`.
  static common::Result<Process> start(const std::vector<std::string>& command,
                                       const std::filesystem::path& log);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  // Its exit status (128 + signal if it was killed) once it has ended.
  std::optional<int> ended();
  void ask_to_stop();
  // Waits for the end; kills it after `patience`.
  int stop(common::milliseconds patience);
  pid_t id() const { return id_; }

 private:
  explicit Process(pid_t id) : id_(id) {}
  pid_t id_ = -1;
  std::optional<int> status_;
};

// "ended with status 2", "was killed by signal 9".
std::string status_words(int status);

// Runs a program on our own terminal; kIo with its command and status if it fails.
common::Result<void> run_to_end(const std::vector<std::string>& command);

// What a program prints on standard output, and its exit status.
struct Output {
  int status = 0;
  std::string text;
};
common::Result<Output> output_of(const std::vector<std::string>& command);

int own_process_id();

}  // namespace deploy
