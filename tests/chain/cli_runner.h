// Runs the real program `muster` in a temporary folder, with an environment of its own and no
// terminal.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tests {

namespace fs = std::filesystem;

struct Ran {
  int code = -1;
  std::string out;
  std::string trouble;  // What it said on standard error.
};

inline std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class MusterCli : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "muster-cli-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path wallets() const { return folder_ / "wallets"; }

  // To its end. `input` is its standard input.
  Ran muster(const std::vector<std::string>& words, const std::string& input = "") {
    std::ofstream(folder_ / "in") << input;
    const pid_t child = start(words, "in", "out", "trouble");
    int status = 0;
    if (child == 0 || waitpid(child, &status, 0) != child) return {};
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(folder_ / "out"),
            text_of(folder_ / "trouble")};
  }
  // `muster wallet VERB` with the folder of wallets named.
  Ran wallet(const std::string& verb, std::vector<std::string> words,
             const std::string& input = "") {
    words.insert(words.begin(), {"wallet", verb, "--wallet.path", wallets().string()});
    return muster(words, input);
  }
  // Returns at once; the process, or 0. The names are of files in folder_.
  pid_t start(const std::vector<std::string>& words, const char* in, const char* out,
              const char* trouble) {
    std::vector<std::string> line = {std::string(MUSTER_BINARY_DIR) + "/muster"};
    line.insert(line.end(), words.begin(), words.end());
    std::vector<std::string> environment = {"HOME=" + folder_.string(), "PATH=/usr/bin:/bin"};
    environment.insert(environment.end(), environment_.begin(), environment_.end());
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const auto open = [&](int descriptor, const char* name, int flags) {
      posix_spawn_file_actions_addopen(&files, descriptor, (folder_ / name).c_str(), flags, 0600);
    };
    open(STDIN_FILENO, in, O_RDONLY);
    open(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    open(STDERR_FILENO, trouble, O_WRONLY | O_CREAT | O_TRUNC);
    pid_t child = 0;
    const int failed = posix_spawn(&child, line[0].c_str(), &files, nullptr, pointers(line).data(),
                                   pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    EXPECT_EQ(failed, 0) << line[0];
    return failed == 0 ? child : 0;
  }

  fs::path folder_;
  std::vector<std::string> environment_;

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }
};

}  // namespace tests
