#include "tests/tidy/rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

namespace tests {
namespace {

namespace fs = std::filesystem;

// The floors: what a folder may include besides itself.
const std::map<std::string, std::set<std::string>, std::less<>> kMayInclude = {
    {"common", {}},
    {"chain", {"common"}},
    {"compress", {"common"}},
    {"train", {"common", "compress"}},
    {"miner", {"common", "chain", "compress", "train"}},
    {"validator", {"common", "chain", "compress", "train"}},
    {"deploy", {"common", "chain", "compress", "train", "miner", "validator"}},
    {"tests", {"common", "chain", "compress", "train", "miner", "validator", "deploy"}},
};

// Tests that see the whole house from inside.
const std::set<std::string, std::less<>> kMasterKeys = {"sim", "fuzz", "bench"};

// The only files that talk to a person on standard output: programs' command lines, and CHECK,
// which must not depend on the log.
const std::set<std::string, std::less<>> kPrinters = {
    "chain/main.cpp",  "common/check.cpp", "common/terminal.cpp",
    "common/verb.cpp", "miner/main.cpp",   "validator/main.cpp",
};

// Folders of commands; each file in them is one verb of a program.
constexpr std::array<std::string_view, 5> kPrinterFolders = {"chain/cli/", "deploy/", "miner/cli/",
                                                             "train/cli/", "validator/cli/"};

std::string segment(std::string_view path, size_t index) {
  for (; index > 0; --index) {
    const size_t slash = path.find('/');
    if (slash == std::string_view::npos) return "";
    path.remove_prefix(slash + 1);
  }
  return std::string(path.substr(0, path.find('/')));
}

std::vector<std::string> names_from_git(const fs::path& root) {
  const std::string command =
      "git -C '" + root.string() + "' ls-files -z --cached --others --exclude-standard 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 4096> buffer;
  size_t got = 0;
  while (pipe && (got = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0) {
    out.append(buffer.data(), got);
  }
  std::vector<std::string> names;
  std::istringstream stream(out);
  for (std::string name; std::getline(stream, name, '\0');) names.push_back(name);
  return names;
}

std::vector<std::string> names_from_walk(const fs::path& root) {
  std::vector<std::string> names;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::end(at); ++at) {
    const std::string name = at->path().filename().string();
    if (at->is_directory()) {
      const bool foreign = name.starts_with('.') || name.starts_with("build");
      if (foreign || name == "node_modules") at.disable_recursion_pending();
    } else {
      names.push_back(at->path().lexically_relative(root).string());
    }
  }
  return names;
}

// The end of the literal that begins at `at` with a quote: one past its closing quote.
size_t literal_end(std::string_view text, size_t at) {
  const char quote = text[at];
  if (quote == '"' && at > 0 && text[at - 1] == 'R') {
    const size_t open = std::min(text.find('(', at), text.size() - 1);
    std::string close(1, ')');
    close.append(text.substr(at + 1, open - at - 1)).append("\"");
    const size_t end = text.find(close, open);
    return end == std::string_view::npos ? text.size() : end + close.size();
  }
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote || text[i] == '\n') {
      return i + 1;
    }
  }
  return text.size();
}

// Directives have braces and parentheses of their own, which need not match.
std::string without_directives(std::string_view text) {
  std::string out;
  bool inside = false;
  for (std::string line : lines_of(text)) {
    const size_t first = line.find_first_not_of(' ');
    inside = inside || (first != std::string::npos && line[first] == '#');
    const bool goes_on = line.ends_with('\\');
    if (inside) line.assign(line.size(), ' ');
    inside = inside && goes_on;
    out += line + "\n";
  }
  return out;
}

enum class Brace { kNamespace, kType, kFunction, kOther };

// What a brace opens, by the text since the last statement ended.
Brace kind_of(std::string_view head) {
  std::string bare;  // Without what stands in parentheses or angle brackets.
  int depth = 0;
  bool parameters = false;
  for (const char c : head) {
    if (c == '(') parameters = true;
    if (c == '(' || c == '<') ++depth;
    if (depth == 0) bare += c;
    if ((c == ')' || c == '>') && depth > 0) --depth;
  }
  static const std::regex kNamespaceWord(R"(\b(namespace|extern)\b)");
  static const std::regex kTypeWord(R"(\b(class|struct|union|enum)\b)");
  while (!bare.empty() && std::isspace(static_cast<unsigned char>(bare.back())) != 0) {
    bare.pop_back();
  }
  if (bare.find("operator") != std::string::npos) return Brace::kFunction;
  if (bare.ends_with('=')) return Brace::kOther;
  if (std::regex_search(bare, kNamespaceWord)) return Brace::kNamespace;
  if (std::regex_search(bare, kTypeWord)) return Brace::kType;
  return parameters ? Brace::kFunction : Brace::kOther;
}

void find_words(const std::vector<std::string>& lines, const char* pattern, const char* message,
                std::vector<Finding>& findings) {
  const std::regex words(pattern);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (std::regex_search(lines[i], words)) findings.push_back({i + 1, message});
  }
}

// A deleted function (`= delete`, which may stand on the next line) is no naked delete, nor is the
// definition of the operator.
void find_naked_delete(const std::vector<std::string>& lines, std::vector<Finding>& findings) {
  static const std::regex kDelete(R"(\bdelete\b)");
  char before = ' ';
  for (size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    const bool found = std::regex_search(lines[i], match, kDelete);
    const std::string head = found ? match.prefix().str() : lines[i];
    const size_t last = head.find_last_not_of(' ');
    if (last != std::string::npos) before = head[last];
    const bool defined = found && head.ends_with("void operator ");
    if (found && before != '=' && !defined) findings.push_back({i + 1, "naked delete"});
    if (found) before = ' ';
  }
}

bool may_print(std::string_view path) {
  return path.starts_with("tests/") || kPrinters.contains(path) ||
         std::any_of(kPrinterFolders.begin(), kPrinterFolders.end(),
                     [path](std::string_view folder) { return path.starts_with(folder); });
}

}  // namespace

std::vector<SourceFile> repository_files(const fs::path& root) {
  std::vector<std::string> names = names_from_git(root);
  if (names.empty()) names = names_from_walk(root);
  std::vector<SourceFile> files;
  for (const std::string& name : names) {
    std::ifstream stream(root / name, std::ios::binary);
    if (!stream || !fs::is_regular_file(root / name)) continue;  // Tracked, but removed just now.
    std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (text.find('\0') == std::string::npos) files.push_back({name, std::move(text)});
  }
  return files;
}

bool is_header(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cuh"); }

bool is_code(std::string_view path) {
  return is_header(path) || path.ends_with(".cpp") || path.ends_with(".cu");
}

std::string without_comments(std::string_view text) {
  std::string out(text);
  const auto blank = [&out](size_t first, size_t end) {
    for (size_t i = first; i < end; ++i) {
      if (out[i] != '\n') out[i] = ' ';
    }
  };
  size_t i = 0;
  while (i < text.size()) {
    size_t end = i + 1;
    if (text.substr(i, 2) == "//") {
      end = std::min(text.find('\n', i), text.size());
      blank(i, end);
    } else if (text.substr(i, 2) == "/*") {
      const size_t close = text.find("*/", i + 2);
      end = close == std::string_view::npos ? text.size() : close + 2;
      blank(i, end);
    } else if (text[i] == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(text[i - 1]))) {
      // The apostrophe of 1'000.
    } else if (text[i] == '"' || text[i] == '\'') {
      end = literal_end(text, i);
      if (end > i + 1) blank(i + 1, end - 1);
    }
    i = end;
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

size_t columns(std::string_view line) {
  return static_cast<size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // Not a continuation byte.
  }));
}

std::vector<Finding> long_functions(std::string_view text, size_t lines_max) {
  struct Open {
    Brace kind;
    size_t first_line;
  };
  const std::string code = without_directives(without_comments(text));
  std::vector<Finding> findings;
  std::vector<Open> open;
  std::string head;
  size_t head_line = 0;
  size_t line = 1;
  int parentheses = 0;
  for (const char c : code) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (head.empty() && !blank) head_line = line;
    if (!head.empty() || !blank) head += c;
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
    if (c == '\n') ++line;
    if (c == '{') {
      head.pop_back();
      const bool inside = !open.empty() && (open.back().kind == Brace::kFunction ||
                                            open.back().kind == Brace::kOther);
      open.push_back({inside || parentheses > 0 ? Brace::kOther : kind_of(head), head_line});
    }
    if (c == '}' && !open.empty()) {
      const size_t count = line - open.back().first_line + 1;
      if (open.back().kind == Brace::kFunction && count > lines_max) {
        findings.push_back(
            {open.back().first_line, "a function of " + std::to_string(count) + " lines"});
      }
      open.pop_back();
    }
    if (c == '{' || c == '}' || (c == ';' && parentheses == 0)) head.clear();
  }
  return findings;
}

std::vector<Finding> banned_words(std::string_view path, std::string_view text) {
  std::vector<Finding> found;
  const auto code = lines_of(without_directives(without_comments(text)));
  find_words(code, R"(\brandom_device\b)", "random_device: draw from Philox or libsodium", found);
  find_words(code, R"(\b(shared_ptr|make_shared)\b)", "shared_ptr: say who owns it", found);
  find_words(code, R"((^|[^\w])new\b(?!\s*\())", "naked new", found);
  find_naked_delete(code, found);
  if (path != "common/clock.cpp") {
    find_words(code, R"(\btime\(|::now\()", "time is an argument: take a common::Clock", found);
  }
  if (!may_print(path)) {
    find_words(code, R"(\b(v?f?printf|f?puts|putchar)\(|\bcout\b|\bcerr\b)",
               "printing is for the programs' command lines; use common/log.h", found);
  }
  // In two pieces, so that this file may stand in the repository.
  find_words(lines_of(text),
             "\\b(TO"
             "DO|FIX"
             "ME)\\b",
             "do it, or leave it out", found);
  return found;
}

std::vector<Finding> machine_paths(std::string_view text) {
  std::vector<Finding> found;
  find_words(lines_of(text),
             "(^|[^\\w.])/(wor"
             "k|ro"
             "ot)/|/tm"
             "p/b-|\\bshar"
             "ed/(design|reference|tools|vectors)",
             "a path of somebody's machine", found);
  return found;
}

std::string included(std::string_view line) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*"([^"]+)")re");
  std::match_results<std::string_view::const_iterator> match;
  return std::regex_search(line.begin(), line.end(), match, kInclude) ? match[1].str() : "";
}

std::string include_trouble(std::string_view path, std::string_view target) {
  const std::string from = segment(path, 0);
  const std::string to = segment(target, 0);
  if (!kMayInclude.contains(to) || target.find('/') == std::string_view::npos) {
    return "includes are written from the top: \"module/file.h\"";
  }
  const auto floor = kMayInclude.find(from);
  if (floor == kMayInclude.end()) return from + " stands on no floor";
  if (from != to && !floor->second.contains(to)) return from + " may not know " + to;
  const bool deep = std::count(target.begin(), target.end(), '/') > 1;
  if (!deep || from == to) return "";
  const std::string room = segment(path, 1);
  if (from == "tests" && (room == to || kMasterKeys.contains(room))) return "";
  return std::string(target) + " is a private room of " + to;
}

std::string include_circle(const std::map<std::string, std::vector<std::string>>& includes) {
  std::set<std::string> done;
  std::vector<std::string> way;
  const std::function<std::string(const std::string&)> visit = [&](const std::string& file) {
    std::string circle;
    if (const auto seen = std::find(way.begin(), way.end(), file); seen != way.end()) {
      for (auto at = seen; at != way.end(); ++at) circle += *at + " -> ";
      return circle + file;
    }
    const auto found = includes.find(file);
    if (found == includes.end() || !done.insert(file).second) return circle;
    way.push_back(file);
    for (const std::string& target : found->second) {
      if (circle.empty()) circle = visit(target);
    }
    way.pop_back();
    return circle;
  };
  for (const auto& [file, targets] : includes) {
    if (const std::string circle = visit(file); !circle.empty()) return circle;
  }
  return "";
}

}  // namespace tests
