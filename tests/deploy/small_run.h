// A subnet so small that a window takes seconds, and the real program run on it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace tests {

namespace fs = std::filesystem;

// The repository's tiny.json with a model of some thousand parameters over bytes and windows of 40
// blocks: FILE.
void write_small_hparams(const fs::path& file);
// Sentences of common English words, drawn by a fixed seed: FOLDER/train and FOLDER/heldout.
void write_small_text(const fs::path& folder);

std::string text_of(const fs::path& file);
std::string last_line(const std::string& text);

// How a program ended and what it said.
struct Ran {
  int code = -1;  // 128 + signal if it was killed.
  std::string out;
  std::string trouble;
};

// A program of this build (bin/NAME) as a process, with its output in FOLDER and its caches below
// it.
class Program {
 public:
  Program(const fs::path& folder, const std::string& name, std::vector<std::string> words);
  ~Program();  // Kills it.
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) const;
  // To its end; killed after `seconds`, and then the code is 137.
  Ran wait(int seconds);
  bool is_running();
  // What it has said on standard error so far.
  std::string trouble() const;
  pid_t id() const { return id_; }

 private:
  fs::path out_;
  fs::path trouble_;
  pid_t id_ = -1;
  std::optional<int> code_;
};

// Looks every 50 ms whether `holds`; false if it does not within `seconds`.
bool eventually(int seconds, const std::function<bool()>& holds);

// Processes whose command line names `folder` and, if given, `also`.
std::vector<pid_t> processes_of(const fs::path& folder, const std::string& also = "");

// <node>/data/status.json, or null.
nlohmann::json status_of(const fs::path& node);

}  // namespace tests
