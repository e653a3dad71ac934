#include "deploy/net/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "common/check.h"

namespace deploy {
namespace {

using common::Code;
using common::Error;
using common::Result;

std::string joined(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

int exit_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

// Only async-signal-safe calls: we are between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // The parent ended before it could be asked for.
  setpgid(0, 0);  // A Ctrl-C on the terminal is for us; we pass it on in order.
  if (output >= 0) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  execvp(arguments[0], arguments.data());
  _exit(127);
}

std::vector<char*> arguments_of(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return arguments;
}

}  // namespace

Result<Process> Process::start(const std::vector<std::string>& command,
                               const std::filesystem::path& log) {
  CHECK(!command.empty());
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) return Error{Code::kIo, log.string() + " cannot be written"};
  const std::vector<char*> arguments = arguments_of(command);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(arguments, output, parent);
  close(output);
  if (child < 0) return Error{Code::kExhausted, "no process can be started for " + command[0]};
  return Process(child);
}

Process::Process(Process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), status_(other.status_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (id_ > 0) stop(std::chrono::seconds(10));
}

std::optional<int> Process::ended() {
  int status = 0;
  if (!status_ && waitpid(id_, &status, WNOHANG) == id_) status_ = exit_status(status);
  return status_;
}

void Process::ask_to_stop() {
  if (!ended()) kill(id_, SIGTERM);
}

int Process::stop(common::milliseconds patience) {
  ask_to_stop();
  constexpr int kPollMs = 20;
  for (int64_t waited = 0; !ended() && waited < patience.count(); waited += kPollMs) {
    usleep(kPollMs * 1000);
  }
  if (!ended()) kill(id_, SIGKILL);
  int status = 0;
  if (!status_ && waitpid(id_, &status, 0) == id_) status_ = exit_status(status);
  return status_.value_or(-1);
}

std::string status_words(int status) {
  return status > 128 ? "was killed by signal " + std::to_string(status - 128)
                      : "ended with status " + std::to_string(status);
}

Result<void> run_to_end(const std::vector<std::string>& command) {
  const std::vector<char*> arguments = arguments_of(command);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(arguments, -1, parent);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return Error{Code::kExhausted, "no process can be started for " + command[0]};
  }
  if (exit_status(status) == 0) return {};
  return Error{Code::kIo,
               joined(command) + ": ended with status " + std::to_string(exit_status(status))};
}

Result<Output> output_of(const std::vector<std::string>& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{Code::kExhausted, "no pipe can be made"};
  const std::vector<char*> arguments = arguments_of(command);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    become(arguments, -1, parent);
  }
  close(ends[1]);
  Output output;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    output.text.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return Error{Code::kExhausted, "no process can be started for " + command[0]};
  }
  output.status = exit_status(status);
  return output;
}

int own_process_id() { return getpid(); }

}  // namespace deploy
