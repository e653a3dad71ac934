// The ledger as a process of its own, for tests to start, to kill and to start again.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "chain/substrate/substrate_ledger.h"
#include "common/clock.h"

extern char** environ;

namespace chain {

namespace fs = std::filesystem;
using common::Code;
using common::milliseconds;

inline constexpr uint16_t kNetuid = 7;

inline uint16_t free_port() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket_fd);
  return ntohs(address.sin_port);
}

inline Keypair key(const std::string& name) { return Keypair::from_uri("//" + name).value(); }

class LedgerProcess : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("muster_ledger_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    port_ = free_port();
    put_genesis(genesis());
  }
  void TearDown() override {
    if (process_ > 0) end(SIGKILL);
    fs::remove_all(folder_);
  }

  void put_genesis(const std::string& json) { std::ofstream(folder_ / "genesis.json") << json; }
  // `rules`: a JSON object.
  static std::string genesis(const std::string& rules = "{}") {
    std::string accounts;
    for (const char* name : {"alice", "bob"}) {
      accounts +=
          (accounts.empty() ? "\"" : ", \"") + key(name).account().ss58() + "\": 1000000000000";
    }
    return R"({"netuid": 7, "owner_coldkey": ")" + key("owner").account().ss58() +
           R"(", "owner_hotkey": ")" + key("owner//hot").account().ss58() + R"(", "rules": )" +
           rules + R"(, "accounts": {)" + accounts + "}}";
  }

  pid_t spawn(int block_ms, uint16_t port) {
    const std::string program = MUSTER_BINARY_DIR "/test_ledger";
    std::vector<std::string> words = {program, (folder_ / "data").string(),
                                      (folder_ / "genesis.json").string(), std::to_string(port),
                                      std::to_string(block_ms)};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string log = (folder_ / "log").string();
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    pid_t process = 0;
    EXPECT_EQ(posix_spawn(&process, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return process;
  }
  void start(int block_ms = 20) {
    process_ = spawn(block_ms, port_);
    for (int i = 0; i < 400; ++i) {
      if (client()) return;
      common::system_clock().sleep(milliseconds(10));
    }
    FAIL() << "the ledger does not answer: " << log();
  }
  // The wait status.
  int end(int signal) {
    kill(process_, signal);
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = 0;
    return status;
  }
  std::string log() {
    std::ifstream file(folder_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::unique_ptr<Ledger> client(common::Clock& clock = common::system_clock()) {
    substrate::RpcOptions options;
    options.attempts = 1;
    options.timeout = milliseconds(3'000);
    auto transport =
        substrate::http_transport("http://127.0.0.1:" + std::to_string(port_), options);
    auto ledger =
        substrate::SubstrateLedger::make(std::move(transport).value(), kNetuid, clock, options);
    return ledger ? std::move(ledger).value() : nullptr;
  }

  fs::path folder_;
  uint16_t port_ = 0;
  pid_t process_ = 0;
};

}  // namespace chain
