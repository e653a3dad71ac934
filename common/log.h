// Logs: for people on a terminal, JSON lines otherwise. Never a secret, never a whole key.
//
// fmt-style: log_info("window {}: sealed {} bytes", window.index, size). Not for .cu files: fmt 9
// does not compile under nvcc with C++20.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

#include "common/result.h"

namespace common {

// Sets up the process's log once, on standard error. `level`: trace, debug, info, warning, error.
// `node` goes into every JSON line ("miner-2"). kInvalidArgument for another level.
Result<void> start_log(std::string_view node, std::string_view level);

template <typename... Args>
void log_debug(fmt::format_string<Args...> text, Args&&... args) {
  spdlog::debug(text, std::forward<Args>(args)...);
}
template <typename... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  spdlog::info(text, std::forward<Args>(args)...);
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> text, Args&&... args) {
  spdlog::warn(text, std::forward<Args>(args)...);
}
template <typename... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  spdlog::error(text, std::forward<Args>(args)...);
}

}  // namespace common
