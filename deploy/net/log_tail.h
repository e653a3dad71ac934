// The last thing that a program said.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace deploy {

// The sentence of a log line: its "message" if it is a JSON line, else the line; without control
// characters, at most 300 bytes. Pure.
std::string log_sentence(std::string_view line);

// The sentence of the last line of a log; empty if there is none. Reads a few KiB of its end.
std::string last_sentence(const std::filesystem::path& log);

}  // namespace deploy
