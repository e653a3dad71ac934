#include "common/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "common/files.h"

namespace common {
namespace {

constexpr uint64_t kPasswordFileSizeMax = 4096;
constexpr size_t kPasswordSizeMin = 6;

// The terminal does not show what is typed while this lives.
class EchoOff {
 public:
  EchoOff() {
    known_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!known_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~EchoOff() {
    if (known_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  bool known_ = false;
};

std::string first_line(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

Result<std::string> password_from_file(const std::filesystem::path& file) {
  auto bytes = read_file(file, kPasswordFileSizeMax);
  if (!bytes) return within("--password-file", bytes.error());
  return first_line(std::string(text_of(*bytes)));
}

// From wherever no person is needed; kNotFound if there is no such place.
Result<std::string> silent_password(const std::filesystem::path& file,
                                    const std::filesystem::path& password_file) {
  auto from_environment = password_from_environment(file);
  if (from_environment || from_environment.error().code != Code::kNotFound) return from_environment;
  if (!password_file.empty()) return password_from_file(password_file);
  return Error{Code::kNotFound, from_environment.error().message + ", no --password-file is given"};
}

}  // namespace

bool stdin_is_terminal() { return isatty(STDIN_FILENO) == 1; }

Result<std::string> read_secret_line(const std::string& question) {
  std::string line;
  const bool person = stdin_is_terminal();
  if (person) std::cerr << question << ": " << std::flush;
  {
    const EchoOff silence;
    std::getline(std::cin, line);
  }
  if (person) std::cerr << std::endl;
  line = first_line(std::move(line));
  if (line.empty()) return Error{Code::kInvalidArgument, question + ": nothing was entered"};
  return line;
}

AskPassword ask_password(const std::filesystem::path& password_file) {
  return [password_file](const std::filesystem::path& file) -> Result<std::string> {
    auto password = silent_password(file, password_file);
    if (password || password.error().code != Code::kNotFound) return password;
    if (stdin_is_terminal()) return read_secret_line("Password of " + file.string());
    return Error{Code::kPermission,
                 password.error().message + ", and standard input is no terminal to ask at"};
  };
}

Result<std::string> new_password(const std::filesystem::path& file,
                                 const std::filesystem::path& password_file) {
  auto password = silent_password(file, password_file);
  if (!password && password.error().code != Code::kNotFound) return password;
  if (!password && !stdin_is_terminal()) {
    return Error{Code::kInvalidArgument,
                 "a password for " + file.string() +
                     " is needed: give --password-file FILE, or leave it unencrypted with "
                     "--no-password"};
  }
  if (!password) {
    TRY(auto first, read_secret_line("New password for " + file.string()));
    TRY(const auto second, read_secret_line("The same again"));
    if (first != second) return Error{Code::kInvalidArgument, "the two passwords differ"};
    password = std::move(first);
  }
  if (password->size() < kPasswordSizeMin) {
    return Error{Code::kInvalidArgument, "a password has at least six characters"};
  }
  return password;
}

Result<void> confirm(const std::string& deal, bool consent) {
  if (consent) return {};
  if (!stdin_is_terminal()) {
    return Error{Code::kInvalidArgument,
                 "nobody is there to confirm it: say --yes to go on without a question"};
  }
  std::cerr << deal << "Go on? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return Error{Code::kCancelled, "not done"};
}

}  // namespace common
