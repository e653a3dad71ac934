// The style of the house as functions of text, so that the rules themselves can be tested.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

struct SourceFile {
  std::string path;  // Relative to the repository: "common/hash.h".
  std::string text;
};

struct Finding {
  size_t line;  // From 1.
  std::string message;
};

// The repository's own files: what git tracks or would track; outside git, a walk that leaves out
// dotted and build folders. Files that are no text are left out.
std::vector<SourceFile> repository_files(const std::filesystem::path& root);

// Whether it is C++ or CUDA (.h, .cpp, .cu, .cuh), and a header.
bool is_code(std::string_view path);
bool is_header(std::string_view path);

// The text with comments and the insides of literals as spaces; lines stay where they are.
std::string without_comments(std::string_view text);

std::vector<std::string> lines_of(std::string_view text);
// In code points.
size_t columns(std::string_view line);

// Functions of more than `lines_max` lines, signature and braces counted. A brace at namespace or
// class level whose head has parameters opens a function; an initialiser (head ends in '=', or has
// no parameters) is none.
std::vector<Finding> long_functions(std::string_view text, size_t lines_max);

// What must not be called or written in a file at `path`.
std::vector<Finding> banned_words(std::string_view path, std::string_view text);

// Paths and words of a machine or a workplace that mean nothing to a reader elsewhere.
std::vector<Finding> machine_paths(std::string_view text);

// What `#include "..."` on this line names, or "".
std::string included(std::string_view line);

// Why the file at `path` may not include `target`, or "": floors, private rooms, unknown modules.
std::string include_trouble(std::string_view path, std::string_view target);

// One circle of includes as "a.h -> b.h -> a.h", or "" if there is none.
std::string include_circle(const std::map<std::string, std::vector<std::string>>& includes);

}  // namespace tests
