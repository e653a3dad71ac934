// Goal: bad input gets one clear sentence and an exit code: 2 if it is what was given, 1 if it is
// the machine or the network.
// Method: a run is prepared, never started; the real programs get one wrong thing each.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <optional>

#include "common/check.h"
#include "common/files.h"
#include "common/wallet.h"
#include "deploy/net/plan.h"
#include "deploy/net/ports.h"
#include "tests/deploy/small_run.h"
#include "tests/temp_folder.h"

namespace tests {
namespace {

using nlohmann::json;

class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    prepared_.emplace();
    const fs::path folder = prepared_->path();
    write_small_hparams(folder / "small.json");
    write_small_text(folder / "text");
    setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
    deploy::LocalnetOptions options{.miners = 1, .validators = 1};
    options.data = folder / "text";
    options.keep = folder / "run";
    options.hparams = folder / "small.json";
    options.programs = MUSTER_BINARY_DIR;
    auto plan = deploy::make_plan(options);
    CHECK_MSG(plan.has_value(), plan ? "" : plan.error().message.c_str());
  }
  static void TearDownTestSuite() { prepared_.reset(); }

  fs::path prepared(const char* name) const { return *prepared_ / "run" / name; }
  json config(const char* node = "miner-0") const {
    json config = json::parse(text_of(prepared(node) / "node.json"));
    config["data"] = (folder_ / "data").string();
    config["bucket"] = "file://" + (folder_ / "bucket").string();
    fs::create_directories(folder_ / "bucket");
    return config;
  }
  fs::path written(const json& config) const {
    std::ofstream(folder_ / "node.json") << config.dump(1);
    return folder_ / "node.json";
  }
  // The last line it says, of a node that is to end by itself.
  void expect(const json& config, int code, const std::string& sentence,
              std::vector<std::string> flags = {}, const std::string& program = "muster-miner") {
    flags.insert(flags.begin(), {"run", "--config", written(config).string()});
    Program node(folder_.path(), program, flags);
    const Ran ran = node.wait(60);
    EXPECT_EQ(ran.code, code) << ran.trouble;
    EXPECT_EQ(last_line(ran.trouble), program + ": " + sentence);
  }
  // Of muster-miner, a part of the last line.
  void expect_part(const json& config, const std::string& part) {
    Program node(folder_.path(), "muster-miner", {"run", "--config", written(config).string()});
    const Ran ran = node.wait(60);
    EXPECT_NE(ran.code, 0);
    EXPECT_NE(last_line(ran.trouble).find(part), std::string::npos) << ran.trouble;
  }
  // The same of muster-localnet with these options, up to the first line break.
  void expect_localnet(int code, const std::string& part, std::vector<std::string> words) {
    Program run(folder_.path(), "muster-localnet", std::move(words));
    const Ran ran = run.wait(60);
    EXPECT_EQ(ran.code, code) << ran.trouble;
    EXPECT_NE(last_line(ran.trouble).find(part), std::string::npos) << ran.trouble;
  }

  TempFolder folder_;
  static inline std::optional<TempFolder> prepared_;
};

TEST_F(BadInput, AMistypedKeyIsNamedWithTheNearestOne) {
  json wrong = config();
  wrong["trian_set"] = wrong["train_set"];
  expect(wrong, 2,
         (folder_ / "node.json").string() + ": unknown key 'trian_set': did you mean 'train_set'?");
}

TEST_F(BadInput, NoConfigurationFile) {
  Program node(folder_.path(), "muster-miner", {"run", "--config", "/nonexistent/node.json"});
  const Ran ran = node.wait(60);
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(last_line(ran.trouble).find("/nonexistent/node.json"), std::string::npos);
  Program bare(folder_.path(), "muster-miner", {"run"});
  EXPECT_EQ(bare.wait(60).code, 2);
}

TEST_F(BadInput, ADataFolderThatAnotherProcessHas) {
  const json given = config();
  fs::create_directories(folder_ / "data");
  const auto lock = common::FolderLock::take(folder_ / "data");
  ASSERT_TRUE(lock);
  expect(given, 1,
         (folder_ / "data").string() +
             " is in use by another process; stop it, or choose another folder");
}

TEST_F(BadInput, FoldersThatCannotBeWritten) {
  std::ofstream(folder_ / "file") << "not a folder";
  const std::string file = (folder_ / "file").string();
  json wrong = config();
  wrong["data"] = file + "/data";
  expect(wrong, 2, "making folder " + file + "/data: " + file + " is a file");
  wrong = config();
  wrong["bucket"] = "file://" + file + "/bucket";
  expect(wrong, 2, "making folder " + file + "/bucket: " + file + " is a file");
  wrong["bucket"] = "http://example.org/bucket";
  expect(wrong, 2,
         "bucket 'http://example.org/bucket': the address should be file:///absolute/path");
}

TEST_F(BadInput, ADataSetThatIsNotTheNetworks) {
  json wrong = config();
  wrong["train_set"] = wrong["heldout_set"];
  const json data = json::parse(text_of(prepared("hparams.json")))["data"];
  expect(wrong, 1,
         "the data set in " + wrong["heldout_set"].get<std::string>() +
             " is not the network's: its hash is " + data["heldout"].get<std::string>() +
             ", the hparams say " + data["train"].get<std::string>() +
             "; fetch the network's data set, or tokenize the same text with the same tokenizer");
}

TEST_F(BadInput, AnAnnealSetThatIsMissingOrWrong) {
  json hparams = json::parse(text_of(prepared("hparams.json")));
  hparams["inner"]["anneal_window"] = 7;
  hparams["inner"]["anneal_windows"] = 5;
  hparams["data"]["anneal"] = hparams["data"]["heldout"];
  std::ofstream(folder_ / "hparams.json") << hparams.dump();
  const std::string hash = hparams["data"]["heldout"];
  json wrong = config();
  wrong["hparams"] = (folder_ / "hparams.json").string();
  expect(wrong, 2,
         "node.json names no anneal_set; from window 7 on the network trains on the data set " +
             hash + ": fetch it, and set anneal_set to its folder or bucket");
  wrong["anneal_set"] = (folder_ / "nowhere").string();
  expect_part(wrong, (folder_ / "nowhere").string());
  wrong["anneal_set"] = wrong["train_set"];
  expect_part(wrong, "is not the network's: its hash is");
}

TEST_F(BadInput, AnAnnealWithoutTextForIt) {
  json hparams = json::parse(text_of(*prepared_ / "small.json"));
  hparams["inner"]["anneal_window"] = 7;
  hparams["inner"]["anneal_windows"] = 5;
  hparams["data"]["anneal"] = std::string(64, '1');
  std::ofstream(folder_ / "anneal.json") << hparams.dump();
  expect_localnet(
      1, (*prepared_ / "text" / "anneal").string() + " is not there: the hparams anneal",
      {"--hparams", (folder_ / "anneal.json").string(), "--data", (*prepared_ / "text").string()});
}

TEST_F(BadInput, HparamsThatDoNotParse) {
  json hparams = json::parse(text_of(prepared("hparams.json")));
  hparams["inner"]["step"] = hparams["inner"]["steps"];
  std::ofstream(folder_ / "hparams.json") << hparams.dump();
  json wrong = config();
  wrong["hparams"] = (folder_ / "hparams.json").string();
  expect(
      wrong, 2,
      (folder_ / "hparams.json").string() + ": unknown key 'step' in inner: did you mean 'steps'?");
}

TEST_F(BadInput, AnEncryptedHotkeyWithoutAPassword) {
  const common::WalletLocation wallet{folder_ / "wallets", "locked", "default"};
  const std::string phrase = common::make_mnemonic(12);
  const auto keypair = common::Keypair::from_mnemonic(phrase);
  ASSERT_TRUE(keypair);
  ASSERT_TRUE(common::write_keyfile(wallet.hotkey_file(), *keypair, phrase, "a password",
                                    common::Overwrite::kNo));
  json wrong = config();
  wrong["wallet"] = {{"path", wallet.path.string()}, {"name", "locked"}, {"hotkey", "default"}};
  const std::string file = wallet.hotkey_file().string();
  std::string variable = "BT_PW_" + file;
  for (char& c : variable) {
    c = c == '/' || c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  expect(wrong, 1,
         file + ": it is encrypted, and there is no password: " + variable +
             " is not set, no --password-file is given, and standard input is no terminal to ask "
             "at");
  wrong["wallet"]["hotkey"] = "other";
  expect(wrong, 1,
         "there is no hotkey at " + (wallet.path / "locked/hotkeys/other").string() +
             "; 'muster wallet new' makes one");
}

TEST_F(BadInput, AnotherNetuidThanTheHparams) {
  expect(config(), 2, "--netuid 7, but the hparams are of netuid 1", {"--netuid", "7"});
}

TEST_F(BadInput, ADeviceThatIsNotThere) {
  // Without nvcc the build has no CUDA, with it a machine may have no card; none has a hundred.
  const json on_a_card = config();
  Program node(folder_.path(), "muster-miner",
               {"run", "--config", written(on_a_card).string(), "--device", "cuda:99"});
  const Ran ran = node.wait(60);
  EXPECT_EQ(ran.code, 1) << ran.trouble;
  EXPECT_THAT(last_line(ran.trouble),
              ::testing::AnyOf("muster-miner: cuda:99: built without CUDA",
                               ::testing::StartsWith("muster-miner: cuda:99: no CUDA device"),
                               ::testing::StartsWith("muster-miner: cuda:99: this machine has")));
  expect(config(), 2,
         "device 'gpu': should be cpu, cpu:THREADS, cuda:NUMBER, or several with commas between "
         "(cuda:0,cuda:2; cuda:0-7)",
         {"--device", "gpu"});
  expect(
      config("validator-0"), 2,
      "device 'cpu:1,cpu:1': a validator judges on one; name one of them, and run a validator on "
      "each other if you like",
      {"--device", "cpu:1,cpu:1"}, "muster-validator");
}

TEST_F(BadInput, ALedgerThatIsNotThere) {
  const auto port = deploy::free_port();
  ASSERT_TRUE(port);
  const std::string endpoint = "http://127.0.0.1:" + std::to_string(*port);
  for (const char* program : {"muster-miner", "muster-validator"}) {
    const char* const node = std::string(program) == "muster-miner" ? "miner-0" : "validator-0";
    expect(config(node), 1,
           "no ledger answers at " + endpoint + " within 1 s: opening the chain at " + endpoint +
               ": " + endpoint +
               ": Couldn't connect to server; name another with --subtensor.chain_endpoint",
           {"--patience", "1", "--chain", endpoint}, program);
  }
}

// A port that somebody listens on, while it lives.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(listen(socket_, 1) == 0);
    CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(socket_); }
  std::string port() const { return std::to_string(port_); }

 private:
  int socket_;
  uint16_t port_ = 0;
};

TEST_F(BadInput, LocalnetNamesAWrongFlag) {
  expect_localnet(2, "--miners: Value 0 not in range 1 to 64; see --help", {"--miners", "0"});
  expect_localnet(2, "--no-such-flag", {"--no-such-flag"});
}

TEST_F(BadInput, LocalnetWantsAPortOfItsOwn) {
  const Listener listener;
  expect_localnet(1, "port " + listener.port() + " on 127.0.0.1 is in use",
                  {"--port", listener.port()});
}

TEST_F(BadInput, LocalnetWantsTextOfSomeLength) {
  const std::string small = (*prepared_ / "small.json").string();
  expect_localnet(1, "/nowhere/train is not there: --data needs a folder with train/ and heldout/",
                  {"--data", "/nowhere", "--hparams", small});
  for (const char* half : {"train", "heldout"}) {
    fs::create_directories(folder_ / "short" / half);
    std::ofstream(folder_ / "short" / half / "text.txt") << "hello\n";
  }
  const std::string text = (folder_ / "short").string();
  expect_localnet(2, "holds 7 tokens: too short for one sample of 32 and the one that follows",
                  {"--data", text, "--hparams", small});
  expect_localnet(2, "the text is too short to learn 4096 pieces from", {"--data", text});
}

TEST_F(BadInput, LocalnetWantsAFolderThatItCanWriteAndHasForItself) {
  std::ofstream(folder_ / "file") << "not a folder";
  const std::string small = (*prepared_ / "small.json").string();
  const std::string text = (*prepared_ / "text").string();
  expect_localnet(2, (folder_ / "file").string() + " is a file",
                  {"--data", text, "--hparams", small, "--keep", (folder_ / "file/kept").string()});
  fs::create_directories(folder_ / "kept");
  const auto lock = common::FolderLock::take(folder_ / "kept");
  ASSERT_TRUE(lock);
  expect_localnet(1, "is in use by another process",
                  {"--data", text, "--hparams", small, "--keep", (folder_ / "kept").string()});
}

TEST_F(BadInput, LocalnetKeepsToTheNetworkOfItsFolder) {
  json hparams = json::parse(text_of(*prepared_ / "small.json"));
  hparams["inner"]["steps"] = 5;
  std::ofstream(folder_ / "other.json") << hparams.dump();
  expect_localnet(
      1, "hparams.json differs from " + (folder_ / "other.json").string(),
      {"--data", (*prepared_ / "text").string(), "--hparams", (folder_ / "other.json").string(),
       "--keep", (*prepared_ / "run").string(), "--miners", "1", "--validators", "1"});
}

}  // namespace
}  // namespace tests
