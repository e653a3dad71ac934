#include "common/log.h"

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace common {
namespace {

using spdlog::details::log_msg;

constexpr std::array<std::pair<std::string_view, spdlog::level::level_enum>, 5> kLevels = {{
    {"trace", spdlog::level::trace},
    {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},
    {"warning", spdlog::level::warn},
    {"error", spdlog::level::err},
}};

void append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

// "2024-01-31 23:59:59.123" with the separator in the middle of one's choice; UTC.
std::string utc(spdlog::log_clock::time_point time, std::string_view format) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(since_epoch - seconds).count();
  const std::time_t whole = seconds.count();
  return fmt::format("{}.{:03}", fmt::format(fmt::runtime(format), fmt::gmtime(whole)), ms);
}

// One JSON object a line. Bytes that are no UTF-8 become U+FFFD: a reader never meets a broken
// line.
class JsonFormatter final : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string node) : node_(std::move(node)) {}

  void format(const log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    append(out,
           fmt::format(R"({{"time":"{}Z","level":"{}","node":{},"message":{}}})"
                       "\n",
                       utc(message.time, "{:%FT%T}"), std::string_view(level.data(), level.size()),
                       quoted(node_), quoted({message.payload.data(), message.payload.size()})));
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(node_);
  }

 private:
  static std::string quoted(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::string node_;
};

// "23:59:59.123 warning text", the level in colour. Control characters are shown as '?': a
// stranger's words that find their way into a message cannot move the cursor of who reads it.
class TerminalFormatter final : public spdlog::formatter {
 public:
  void format(const log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    append(out, utc(message.time, "{:%T}") + " ");
    message.color_range_start = out.size();
    append(out, fmt::format("{:<7}", std::string_view(level.data(), level.size())));
    message.color_range_end = out.size();
    std::string text(message.payload.data(), message.payload.size());
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
    append(out, " " + text + "\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<TerminalFormatter>();
  }
};

}  // namespace

Result<void> start_log(std::string_view node, std::string_view level) {
  const auto found = std::find_if(kLevels.begin(), kLevels.end(),
                                  [level](const auto& known) { return known.first == level; });
  if (found == kLevels.end()) {
    return Error{
        Code::kInvalidArgument,
        fmt::format("log level '{}' should be trace, debug, info, warning or error", level)};
  }
  spdlog::sink_ptr sink;
  if (isatty(STDERR_FILENO) != 0) {
    sink = std::make_unique<spdlog::sinks::stderr_color_sink_mt>();
    sink->set_formatter(std::make_unique<TerminalFormatter>());
  } else {
    sink = std::make_unique<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(std::make_unique<JsonFormatter>(std::string(node)));
  }
  auto logger = std::make_unique<spdlog::logger>("muster", std::move(sink));
  logger->set_level(found->second);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace common
