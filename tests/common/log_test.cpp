// Goal: one event, one line: JSON that a machine can read, or a line that cannot hurt a terminal.
// Method: standard error caught from a pipe and from a pseudo-terminal.
#include "common/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

namespace common {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { static_cast<void>(start_log("test", "info")); }
};

TEST_F(LogTest, OffATerminalEveryLineIsOneJsonObject) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(start_log("miner-2 \"x\"", "debug"));
  log_debug("number {}", 7);
  log_info("quote \" backslash \\ newline \n tab \t");
  log_warning("not utf-8: \xff");
  log_error("{}", "braces {} are data");
  spdlog::trace("below the level");
  std::istringstream lines(testing::internal::GetCapturedStderr());
  const char* const levels[] = {"debug", "info", "warning", "error"};
  const char* const messages[] = {"number 7", "quote \" backslash \\ newline \n tab \t",
                                  "not utf-8: \xef\xbf\xbd", "braces {} are data"};
  std::string line;
  size_t count = 0;
  while (std::getline(lines, line)) {
    ASSERT_LT(count, 4u);
    const auto event = nlohmann::json::parse(line);
    EXPECT_EQ(event.size(), 4u);
    EXPECT_EQ(event["level"], levels[count]);
    EXPECT_EQ(event["node"], "miner-2 \"x\"");
    EXPECT_EQ(event["message"], messages[count]);
    const std::regex rfc3339(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
    EXPECT_TRUE(std::regex_match(event["time"].get<std::string>(), rfc3339)) << line;
    ++count;
  }
  EXPECT_EQ(count, 4u);
}

// What a terminal shows of what `act` writes to standard error.
template <typename Act>
std::string on_a_terminal(Act act) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
  const int before = dup(STDERR_FILENO);
  CHECK(terminal >= 0 && dup2(terminal, STDERR_FILENO) >= 0);
  act();
  dup2(before, STDERR_FILENO);
  close(before);
  close(terminal);
  std::string shown;
  char buffer[256];
  ssize_t size = 0;  // The last reader of a closed terminal is told so by an error.
  while ((size = read(master, buffer, sizeof buffer)) > 0) {
    shown.append(buffer, static_cast<size_t>(size));
  }
  close(master);
  return shown;
}

TEST_F(LogTest, OnATerminalALineIsForPeopleInColour) {
  ASSERT_EQ(setenv("TERM", "xterm-256color", 1), 0);
  const std::string shown = on_a_terminal([] {
    ASSERT_TRUE(start_log("miner-2", "info"));
    log_warning("window {}: late", 3);
  });
  EXPECT_THAT(shown, HasSubstr(" window 3: late\r\n"));
  EXPECT_THAT(shown, HasSubstr("\x1b["));
  EXPECT_THAT(shown, HasSubstr("warning"));
  EXPECT_THAT(shown, Not(HasSubstr("{\"time\"")));
}

TEST_F(LogTest, AStrangersControlCharactersDoNotReachTheTerminal) {
  const std::string shown = on_a_terminal([] {
    ASSERT_TRUE(start_log("miner-2", "info"));
    log_info("{}", "evil \x1b[2J\n\x07 words");
  });
  EXPECT_THAT(shown, HasSubstr("evil ?[2J?? words\r\n"));
}

TEST_F(LogTest, AnUnknownLevelIsRefused) {
  for (const char* const level : {"", "loud", "warn", "INFO"}) {
    EXPECT_EQ(start_log("n", level).error().code, Code::kInvalidArgument) << level;
  }
}

}  // namespace
}  // namespace common
