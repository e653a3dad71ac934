#include "tests/deploy/small_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <sstream>

#include "common/philox.h"

namespace tests {
namespace {

using nlohmann::json;

constexpr std::array kWords = {"the",   "house", "of",    "a",     "river", "was",  "old",  "and",
                               "there", "came",  "one",   "night", "when",  "all",  "men",  "slept",
                               "in",    "their", "words", "were",  "many",  "but",  "none", "said",
                               "to",    "him",   "that",  "light", "is",    "good", "for",  "eyes"};

std::string sentences(uint64_t seed, size_t bytes) {
  common::Philox random(seed);
  std::string text;
  while (text.size() < bytes) {
    std::string sentence;
    for (uint64_t words = 4 + random.below(9); words > 0; --words) {
      if (!sentence.empty()) sentence += ' ';
      sentence += kWords[random.below(kWords.size())];
    }
    text += sentence + ".\n";
    if (random.below(20) == 0) text += "\f\n";
  }
  return text;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

void write_small_hparams(const fs::path& file) {
  json all = json::parse(text_of(fs::path(MUSTER_SOURCE_DIR) / "deploy/hparams/tiny.json"));
  all["schedule"].update({{"blocks_per_window", 40},
                          {"seal_block", 24},
                          {"reveal_block", 28},
                          {"manifest_block", 31},
                          {"lead_timeout_blocks", 3}});
  all["model"].update({{"vocabulary", 257},
                       {"dim", 32},
                       {"layers", 1},
                       {"heads", 2},
                       {"kv_heads", 1},
                       {"hidden", 64},
                       {"sequence_length", 32}});
  all["inner"].update({{"steps", 4}, {"sequences_per_step", 4}});
  all["evaluation"].update({{"sequences_min", 4}, {"sequences_batch", 4}, {"tokens_max", 512}});
  all["checkpoint"].update({{"windows", 2}, {"keep", 3}, {"full_root_windows", 2}});
  std::ofstream(file) << all.dump(2);
}

void write_small_text(const fs::path& folder) {
  for (const auto& [half, seed, bytes] :
       {std::tuple{"train", 1U, size_t{60'000}}, std::tuple{"heldout", 2U, size_t{20'000}}}) {
    fs::create_directories(folder / half);
    std::ofstream(folder / half / "words.txt") << sentences(seed, bytes);
  }
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const size_t before = text.rfind('\n', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, end + 1 - begin);
}

Program::Program(const fs::path& folder, const std::string& name, std::vector<std::string> words) {
  static int count = 0;
  const std::string own = name + "-" + std::to_string(++count);
  out_ = folder / (own + ".out");
  trouble_ = folder / (own + ".err");
  words.insert(words.begin(), std::string(MUSTER_BINARY_DIR) + "/" + name);
  std::vector<std::string> environment = {"HOME=" + folder.string(), "PATH=/usr/bin:/bin",
                                          "TMPDIR=" + folder.string()};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const auto open = [&files](int descriptor, const fs::path& file, int flags) {
    posix_spawn_file_actions_addopen(&files, descriptor, file.c_str(), flags, 0600);
  };
  open(STDIN_FILENO, "/dev/null", O_RDONLY);
  open(STDOUT_FILENO, out_, O_WRONLY | O_CREAT | O_TRUNC);
  open(STDERR_FILENO, trouble_, O_WRONLY | O_CREAT | O_TRUNC);
  const int failed = posix_spawn(&id_, words[0].c_str(), &files, nullptr, pointers(words).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  EXPECT_EQ(failed, 0) << words[0];
  if (failed != 0) code_ = -1;
}

Program::~Program() {
  if (!is_running()) return;
  signal(SIGTERM);  // Its children are to go, too.
  wait(30);
}

void Program::signal(int number) const { kill(id_, number); }

bool Program::is_running() {
  int status = 0;
  if (!code_ && waitpid(id_, &status, WNOHANG) == id_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return !code_;
}

Ran Program::wait(int seconds) {
  if (!eventually(seconds, [this] { return !is_running(); })) {
    kill(id_, SIGKILL);
    eventually(10, [this] { return !is_running(); });
  }
  return {code_.value_or(-1), text_of(out_), text_of(trouble_)};
}

std::string Program::trouble() const { return text_of(trouble_); }

bool eventually(int seconds, const std::function<bool()>& holds) {
  for (int i = 0; i < seconds * 20; ++i) {
    if (holds()) return true;
    usleep(50'000);
  }
  return holds();
}

std::vector<pid_t> processes_of(const fs::path& folder, const std::string& also) {
  std::vector<pid_t> found;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename();
    pid_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    const std::string line = text_of(entry.path() / "cmdline");
    const bool is_it =
        line.find(folder.string()) != std::string::npos && line.find(also) != std::string::npos;
    if (is_it) found.push_back(id);
  }
  return found;
}

json status_of(const fs::path& node) {
  return json::parse(text_of(node / "data/status.json"), nullptr, /*allow_exceptions=*/false);
}

}  // namespace tests
