// Goal: the verbs say what is stored, in words and in JSON, and end as a script expects.
// Method: a store of a few windows; each verb through the command line, its output captured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/check.h"
#include "common/files.h"
#include "common/verb.h"
#include "tests/temp_folder.h"
#include "tests/validator/support.h"
#include "validator/audit_verbs.h"
#include "validator/score_store.h"

namespace validator {
namespace {

using testing::HasSubstr;

const char* const kHparams = MUSTER_SOURCE_DIR "/tests/data/hparams.json";

class Verbs : public testing::Test {
 protected:
  Verbs() {
    auto store = ScoreStore::open(scores_, tiny_hparams(), ScoreStore::Mode::kReadWrite);
    CHECK(store.has_value());
    Evidence twin = judged(3, 0.02, 0.02);
    twin.overlap = 0.99;
    twin.overlap_z = 40;
    twin.overlap_with = {1};
    const std::vector<Evidence> rows = {judged(0, 0.03, 0.05), judged(1, 0.02, 0.02),
                                        failed(2, Verdict::kLate), twin};
    for (const uint64_t window : {5u, 6u, 8u}) {
      CHECK(store->append(window_of(window, rows)).has_value());
    }
    CHECK(store->append(window_of(9, {rows[0], judged(1, -0.05, 0.0)})).has_value());
  }

  // The exit code; what was printed is in out_.
  int run(std::vector<std::string> words, bool with_store = true) {
    if (with_store) {
      words.insert(words.end(), {"--scores", scores_.string(), "--hparams", kHparams});
    }
    words.insert(words.begin(), "muster-validator");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    int exit_code = 0;
    CLI::App app("test", "muster-validator");
    app.require_subcommand(1);
    add_audit_verbs(app, exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code =
        common::run_program(app, exit_code, static_cast<int>(argv.size()), argv.data());
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  tests::TempFolder folder_;
  std::filesystem::path scores_ = folder_ / "data/scores";
  std::string out_;
  std::string err_;
};

TEST_F(Verbs, AuditSaysThatAllIsEqual) {
  EXPECT_EQ(run({"audit"}), common::kOk) << err_;
  EXPECT_EQ(out_, "4 windows recomputed, equal bit for bit\n");
  EXPECT_EQ(run({"audit", "--json"}), common::kOk);
  const auto result = nlohmann::json::parse(out_);
  EXPECT_EQ(
      result,
      (nlohmann::json{
          {"ok", true}, {"windows", 4}, {"peers", 14}, {"differences", nlohmann::json::array()}}));
}

TEST_F(Verbs, AuditEndsWithOneIfAByteWasChanged) {
  {
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), (scores_ / "db").string(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    const std::string key("window/\0\0\0\0\0\0\0\x06", 15);
    std::string record;
    ASSERT_TRUE(db->Get({}, key, &record).ok());
    record[record.size() / 2] = static_cast<char>(record[record.size() / 2] ^ 1);
    ASSERT_TRUE(db->Put({}, key, record).ok());
  }
  EXPECT_EQ(run({"audit"}), common::kFailed);
  EXPECT_THAT(out_, HasSubstr("window 6: "));
  EXPECT_EQ(run({"audit", "--json"}), common::kFailed);
  EXPECT_EQ(nlohmann::json::parse(out_)["ok"], false);
}

TEST_F(Verbs, ScoresAreShownOfTheLastWindowOrOfOne) {
  EXPECT_EQ(run({"scores"}), common::kOk);
  EXPECT_THAT(out_, HasSubstr("window 9"));
  EXPECT_THAT(out_, HasSubstr("makes the model worse"));
  EXPECT_EQ(run({"scores", "6", "--json"}), common::kOk);
  const auto shown = nlohmann::json::parse(out_);
  EXPECT_EQ(shown["window"], 6);
  EXPECT_EQ(shown["standings"].size(), 4u);
  EXPECT_GT(shown["standings"][0]["score"].get<double>(), 0);
  EXPECT_GT(shown["standings"][0]["weight"].get<double>(), 0);
  EXPECT_EQ(run({"scores", "7"}), common::kFailed);
  EXPECT_THAT(err_, HasSubstr("windows 5 to 9"));
}

TEST_F(Verbs, ExplainNamesEveryStep) {
  EXPECT_EQ(run({"explain", "6", "0"}), common::kOk) << err_;
  for (const char* step : {"1 evidence     accepted", "gain +0.03000", "2 advantage", "so +1",
                           "3 rating       rank 1 of 3", "4 multiplier   no fault", "5 score",
                           "6 weight", "gathered tier"}) {
    EXPECT_THAT(out_, HasSubstr(step));
  }
  EXPECT_EQ(run({"explain", "6", "2"}), common::kOk);
  EXPECT_THAT(out_, HasSubstr("1 evidence     late"));
  EXPECT_THAT(out_, HasSubstr("times 0.75: 0.7500 -> 0.5625"));
  EXPECT_THAT(out_, HasSubstr("5 score        0: never judged"));
  EXPECT_EQ(run({"explain", "6", "3"}), common::kOk);
  EXPECT_THAT(out_, HasSubstr("99.0 % of its indices, with uid 1; z 40.00"));
  EXPECT_THAT(out_, HasSubstr("copied, times 0.25"));
  EXPECT_EQ(run({"explain", "9", "1"}), common::kOk);
  EXPECT_THAT(out_, HasSubstr("0: makes the model worse"));
  EXPECT_EQ(run({"explain", "9", "2"}), common::kOk);
  EXPECT_THAT(out_, HasSubstr("1 evidence     none"));
  EXPECT_EQ(run({"explain", "9", "77"}), common::kFailed);
  EXPECT_EQ(run({"explain", "9", "x"}), common::kWrongUsage);
  EXPECT_EQ(run({"explain", "9"}), common::kWrongUsage);
}

TEST_F(Verbs, ExportWritesALineAWindow) {
  EXPECT_EQ(run({"export", "--from", "6", "--to", "8"}), common::kOk);
  std::istringstream lines(out_);
  std::vector<uint64_t> windows;
  for (std::string line; std::getline(lines, line);) {
    windows.push_back(nlohmann::json::parse(line)["window"]);
  }
  EXPECT_EQ(windows, (std::vector<uint64_t>{6, 8}));
}

TEST_F(Verbs, ScoresAreFoundByTheNodesConfiguration) {
  const nlohmann::json node = {{"hparams", kHparams},
                               {"data", "data"},
                               {"train_set", "train"},
                               {"bucket", "file:///buckets/me"}};
  const auto file = folder_ / "node.json";
  ASSERT_TRUE(common::write_file(file, common::view_of(node.dump())).has_value());
  EXPECT_EQ(run({"audit", "--config", file.string()}, false), common::kOk) << err_;
  EXPECT_EQ(out_, "4 windows recomputed, equal bit for bit\n");
}

TEST_F(Verbs, WhoseScoresMustBeSaidInOneWay) {
  EXPECT_EQ(run({"audit"}, false), common::kWrongUsage);
  EXPECT_THAT(err_, HasSubstr("--config node.json, or --scores FOLDER"));
  EXPECT_EQ(run({"audit", "--scores", scores_.string()}, false), common::kWrongUsage);
  EXPECT_EQ(run({"audit", "--config", "x.json"}), common::kWrongUsage);
  EXPECT_EQ(run({"audit", "--scores", "/nowhere", "--hparams", kHparams}, false), common::kFailed);
}

TEST_F(Verbs, ReadWhileTheValidatorWrites) {
  auto writer = ScoreStore::open(scores_, tiny_hparams(), ScoreStore::Mode::kReadWrite);
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE(writer->append(window_of(12, {judged(0, 0.1, 0.1)})).has_value());
  EXPECT_EQ(run({"audit"}), common::kOk);
  EXPECT_EQ(out_, "5 windows recomputed, equal bit for bit\n");
}

}  // namespace
}  // namespace validator
