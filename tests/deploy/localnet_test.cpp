// Goal: a private subnet of real processes trains, reports, survives what happens to processes,
// goes on from where it was, and leaves nothing behind.
// Method: the real programs on a network so small that a window takes four seconds; what is
// asserted is what they report and what lies on the disk. Nothing waits for a fixed time.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "tests/deploy/small_run.h"
#include "tests/temp_folder.h"

namespace tests {
namespace {

using nlohmann::json;

constexpr int kRunMax_s = 240;  // For what takes 30 s on an idle machine.
constexpr int kStopMax_s = 12;  // "Within about ten seconds."

class Localnet : public testing::Test {
 protected:
  void SetUp() override {
    write_small_hparams(folder_ / "small.json");
    write_small_text(folder_ / "text");
  }
  void TearDown() override { EXPECT_TRUE(processes_of(folder_.path()).empty()); }

  std::vector<std::string> words(uint64_t windows, bool keep) const {
    std::vector<std::string> all = {"--miners",   "2",
                                    "--windows",  std::to_string(windows),
                                    "--data",     (folder_ / "text").string(),
                                    "--hparams",  (folder_ / "small.json").string(),
                                    "--block-ms", "100",
                                    "--json"};
    if (keep) all.insert(all.end(), {"--keep", kept().string()});
    return all;
  }
  fs::path kept() const { return folder_ / "kept"; }

  // The report, of a run that ended well.
  static json report_of(const Ran& ran) {
    EXPECT_EQ(ran.code, 0) << ran.out << ran.trouble;
    const json report = json::parse(last_line(ran.out), nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(report.is_object()) << ran.out << ran.trouble;
    return report;
  }

  // Windows in which validator 0 has judged.
  json history() const {
    const json status = status_of(kept() / "validator-0");
    return status.is_object() ? status.value("heldout_history", json::array()) : json::array();
  }
  bool has_judged(size_t windows) const { return history().size() >= windows; }

  // Kills what runs with this in its command line, the one process that does.
  void kill_one(const std::string& name) const {
    std::vector<pid_t> found;
    EXPECT_TRUE(eventually(60, [&] { return (found = processes_of(kept(), name)).size() == 1; }))
        << name;
    if (!found.empty()) kill(found[0], SIGKILL);
  }

  TempFolder folder_;
};

TEST_F(Localnet, TrainsReportsAndLeavesNothingBehind) {
  Program run(folder_.path(), "muster-localnet", words(3, /*keep=*/false));
  const Ran ran = run.wait(kRunMax_s);
  const json report = report_of(ran);
  EXPECT_LT(report["held_out_loss_last"], report["held_out_loss_first"]) << report;
  EXPECT_EQ(report["state_roots_equal"], true);
  EXPECT_EQ(report["audit_ok"], true);
  EXPECT_GE(report["windows"], 1);
  EXPECT_LE(report["windows"], 3);
  EXPECT_GT(report["seconds"], 4);
  ASSERT_EQ(report["neurons"].size(), 4U);
  int accepted = 0;
  for (const json& neuron : report["neurons"]) {
    EXPECT_TRUE(neuron["uid"].is_number()) << neuron;
    EXPECT_EQ(neuron["restarts"], 0) << neuron;
    if (neuron["role"] != "miner" || neuron["bytes_per_update"] == 0) continue;
    EXPECT_GT(neuron["ratio_to_fp32"], 20)
        << neuron;  // Sealing and signing cost most of so little.
    EXPECT_GE(neuron["bytes_sent"], neuron["bytes_per_update"]) << neuron;
    if (neuron["verdict"] == "accepted") ++accepted;
  }
  EXPECT_GE(accepted, 1) << report;
  EXPECT_NE(ran.trouble.find("held-out loss"), std::string::npos)
      << "A line a window: " << ran.trouble;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_FALSE(entry.is_directory() &&
                 entry.path().filename().string().starts_with("muster-localnet-"))
        << entry.path();
  }
}

TEST_F(Localnet, GoesOnAfterAMinerAValidatorAndTheLedgerWereKilled) {
  Program run(folder_.path(), "muster-localnet", words(5, /*keep=*/true));
  ASSERT_TRUE(eventually(kRunMax_s, [&] { return has_judged(1) || !run.is_running(); }));
  kill_one("miner-0/node.json");
  ASSERT_TRUE(eventually(kRunMax_s, [&] { return has_judged(2) || !run.is_running(); }));
  kill_one("validator-1/node.json");
  ASSERT_TRUE(eventually(kRunMax_s, [&] { return has_judged(3) || !run.is_running(); }));
  kill_one("genesis.json");  // The ledger.
  const json report = report_of(run.wait(kRunMax_s));
  EXPECT_EQ(report["state_roots_equal"], true);
  EXPECT_EQ(report["audit_ok"], true);
  EXPECT_GE(report["windows"], 3);
  EXPECT_GE(report["restarts"], 3);
  const std::string events = report["events"].dump();
  for (const char* name : {"miner-0 was killed by signal 9", "validator-1 was killed by signal 9",
                           "the ledger was killed by signal 9"}) {
    EXPECT_NE(events.find(name), std::string::npos) << events;
  }
}

TEST_F(Localnet, CtrlCStopsAllAndKeepGoesOnFromThere) {
  std::string hotkeys;
  json before;
  {
    Program run(folder_.path(), "muster-localnet", words(50, /*keep=*/true));
    ASSERT_TRUE(eventually(kRunMax_s, [&] { return has_judged(2) || !run.is_running(); }));
    run.signal(SIGINT);
    const Ran ran = run.wait(kStopMax_s);
    EXPECT_EQ(ran.code, 130) << ran.trouble;
    EXPECT_NE(ran.trouble.find("localnet: stopped"), std::string::npos) << ran.trouble;
    EXPECT_TRUE(processes_of(folder_.path()).empty());
    before = history();
    hotkeys = text_of(kept() / "miner-1/wallets/miner-1/hotkeys/defaultpub.txt");
    EXPECT_FALSE(hotkeys.empty());
  }
  Program run(folder_.path(), "muster-localnet", words(2, /*keep=*/true));
  const json report = report_of(run.wait(kRunMax_s));
  EXPECT_EQ(report["state_roots_equal"], true);
  EXPECT_EQ(report["audit_ok"], true);
  EXPECT_EQ(text_of(kept() / "miner-1/wallets/miner-1/hotkeys/defaultpub.txt"), hotkeys);
  // The history goes on where it was; windows are not counted anew.
  const json after = report["held_out_loss_history"];
  ASSERT_GT(after.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i], before[i]) << after;
  EXPECT_EQ(report["held_out_loss_first"], before[0][1]);
  for (size_t i = 1; i < after.size(); ++i) EXPECT_LT(after[i - 1][0], after[i][0]);
  // Who was registered is not registered again, and what was earned is still there.
  for (const json& neuron : report["neurons"]) {
    EXPECT_GE(neuron["balance_tao"].get<double>(), neuron["earned_tao"].get<double>());
  }
  // The same folder with other options is refused.
  std::vector<std::string> other = words(1, /*keep=*/true);
  other[1] = "3";
  Program refused(folder_.path(), "muster-localnet", other);
  const Ran ran = refused.wait(60);
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.trouble.find("holds a subnet with another number of nodes"), std::string::npos)
      << ran.trouble;
}

TEST_F(Localnet, CtrlCWhileItStartsStopsAll) {
  Program run(folder_.path(), "muster-localnet", words(3, /*keep=*/false));
  // The ledger is the first to come.
  ASSERT_TRUE(
      eventually(60, [&] { return !processes_of(folder_.path(), "genesis.json").empty(); }));
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(kStopMax_s).code, 130);
  EXPECT_TRUE(processes_of(folder_.path()).empty());
}

TEST_F(Localnet, IfItIsKilledItselfItsChildrenStop) {
  Program run(folder_.path(), "muster-localnet", words(3, /*keep=*/true));
  ASSERT_TRUE(eventually(60, [&] { return !processes_of(kept(), "miner-1/node.json").empty(); }));
  run.signal(SIGKILL);
  EXPECT_EQ(run.wait(10).code, 128 + SIGKILL);
  EXPECT_TRUE(eventually(kStopMax_s, [&] { return processes_of(folder_.path()).empty(); }));
}

// A newcomer's node.json: miner-0's, with folders and keys of its own.
fs::path newcomers_config(const fs::path& run_folder, const fs::path& own) {
  json config = json::parse(text_of(run_folder / "miner-0/node.json"));
  config["data"] = (own / "data").string();
  config["bucket"] = "file://" + (own / "bucket").string();
  config["wallet"] = {
      {"path", (own / "wallets").string()}, {"name", "late"}, {"hotkey", "default"}};
  fs::create_directories(own / "bucket");
  std::ofstream(own / "node.json") << config.dump();
  return own / "node.json";
}

TEST_F(Localnet, ALateJoinerReachesTheSameState) {
  Program run(folder_.path(), "muster-localnet", words(100, /*keep=*/true));
  ASSERT_TRUE(eventually(kRunMax_s, [&] { return has_judged(3) || !run.is_running(); }));
  const fs::path own = folder_ / "late";
  const fs::path config = newcomers_config(kept(), own);
  const std::string chain = json::parse(text_of(config))["chain_endpoint"];
  const auto muster = [&](std::vector<std::string> words) {
    Program program(folder_.path(), "muster", std::move(words));
    const Ran ran = program.wait(60);
    EXPECT_EQ(ran.code, 0) << ran.out << ran.trouble;
    return ran;
  };
  const std::vector<std::string> wallet = {"--wallet.path", (own / "wallets").string(),
                                           "--wallet.name", "late"};
  std::vector<std::string> words = {"wallet", "new", "--no-password"};
  words.insert(words.end(), wallet.begin(), wallet.end());
  muster(words);
  const json coldkey = json::parse(text_of(own / "wallets/late/coldkeypub.txt"), nullptr,
                                   /*allow_exceptions=*/false);
  muster({"transfer", "--dest", coldkey["ss58Address"], "--amount", "50", "--yes", "--chain", chain,
          "--wallet.path", (kept() / "coldkeys").string(), "--wallet.name", "miner-0"});
  words = {"register", "--netuid", "1", "--yes", "--chain", chain};
  words.insert(words.end(), wallet.begin(), wallet.end());
  muster(words);

  Program miner(folder_.path(), "muster-miner", {"run", "--config", config.string()});
  // The same signed state of the same window, as files say it.
  const auto agrees = [&] {
    const json its = status_of(own);
    const json other = status_of(kept() / "validator-0");
    return its.is_object() && other.is_object() && its["windows_applied"] > 0 &&
           its["phase"] != "catching up" && its["window"] == other["window"] &&
           its["state_root"] == other["state_root"];
  };
  EXPECT_TRUE(eventually(kRunMax_s, [&] { return agrees() || !run.is_running(); }));
  EXPECT_TRUE(agrees()) << status_of(own) << status_of(kept() / "validator-0") << miner.trouble();
  miner.signal(SIGTERM);
  EXPECT_EQ(miner.wait(kStopMax_s).code, 0);

  // The same node with other numbers: whatever it does, it is told what is wrong.
  json hparams = json::parse(text_of(kept() / "hparams.json"));
  hparams["inner"]["learning_rate"] = 0.001;
  std::ofstream(own / "other.json") << hparams.dump();
  json other = json::parse(text_of(config));
  other["hparams"] = (own / "other.json").string();
  other["data"] = (own / "other").string();
  std::ofstream(own / "other-node.json") << other.dump();
  Program stray(folder_.path(), "muster-miner",
                {"run", "--config", (own / "other-node.json").string()});
  EXPECT_TRUE(eventually(60, [&] {
    const std::string said = stray.trouble();
    return said.find("our hparams (hash ") != std::string::npos &&
           said.find(") are not the network's (") != std::string::npos;
  })) << stray.trouble();
  stray.signal(SIGTERM);
  EXPECT_EQ(stray.wait(kStopMax_s).code, 0);

  // Who asks for a uid that is nobody's is told so.
  Program nobody(folder_.path(), "muster", {"chain", "neuron", "99", "--chain", chain});
  const Ran asked = nobody.wait(60);
  EXPECT_EQ(asked.code, 1) << asked.trouble;
  EXPECT_NE(asked.trouble.find("there is no uid 99 on subnet 1"), std::string::npos)
      << asked.trouble;

  run.signal(SIGINT);
  EXPECT_EQ(run.wait(kStopMax_s).code, 130);
}

}  // namespace
}  // namespace tests
