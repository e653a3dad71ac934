// Goal: `muster data` does what its help says, and its exit code tells how it went.
// Method: the verbs parsed in-process, with what they print caught.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/train/data_folder.h"
#include "tests/train/real_text.h"
#include "train/commands.h"

namespace {

using testing::HasSubstr;

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

Outcome run(const std::string& arguments) {
  CLI::App app{"muster"};
  Outcome result{-1, "", ""};
  train::add_data_verbs(app, result.exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    result.exit_code = app.exit(error) == 0 ? 0 : 2;
  }
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  return result;
}

TEST(DataVerbs, TokenizeThenInspectTellTheSame) {
  const DataFolder folder;
  folder.write("a.txt", "Hi!\n\f\nduck");
  const std::string out = (folder.path() / "out").string();
  const Outcome made = run("data tokenize --json --tokenizer bytes --shard-tokens 4 --out " + out +
                           " " + folder.path().string());
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto report = nlohmann::json::parse(made.out);
  EXPECT_EQ(report["tokens"], 10);
  EXPECT_EQ(report["documents"], 2);
  EXPECT_EQ(report["shards"], 3);
  EXPECT_EQ(report["text_bytes"], 8);
  EXPECT_DOUBLE_EQ(report["bytes_per_token"], 0.8);

  const Outcome shown = run("data inspect --verify --json " + out);
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  const auto inspected = nlohmann::json::parse(shown.out);
  EXPECT_EQ(inspected["hash"], report["hash"]);
  EXPECT_EQ(inspected["verified"], true);
  EXPECT_EQ(inspected["begin"][0]["text"], "H");
  EXPECT_TRUE(inspected["begin"][4]["text"].is_null());  // The end of "Hi!\n".

  const Outcome read = run("data inspect " + out);
  EXPECT_EQ(read.exit_code, 0);
  EXPECT_THAT(read.out, HasSubstr(report["hash"].get<std::string>()));
  EXPECT_THAT(read.out, HasSubstr(R"("H" "i" "!" "\n" <end> "d")"));
}

TEST(DataVerbs, InspectShowsHalvesOfCharactersAsReplaced) {
  const DataFolder folder;
  folder.write("a.txt", "\xC3\xA9 e");
  const std::string out = (folder.path() / "out").string();
  ASSERT_EQ(
      run("data tokenize --tokenizer bytes --out " + out + " " + folder.path().string()).exit_code,
      0);
  for (const std::string flag : {"", " --json"}) {
    const Outcome shown = run("data inspect " + out + flag);
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("\xEF\xBF\xBD"));
  }
}

TEST(DataVerbs, DamageIsFoundByVerify) {
  const DataFolder folder;
  folder.write("a.txt", "duck");
  const std::string out = (folder.path() / "out").string();
  ASSERT_EQ(
      run("data tokenize --tokenizer bytes --out " + out + " " + folder.path().string()).exit_code,
      0);
  folder.write("out/tokens-00000.bin", std::string(10, 'x'));
  const Outcome verified = run("data inspect --verify " + out);
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_THAT(verified.err,
              HasSubstr("tokens-00000.bin, chunk 0 (bytes 0 to 9) of " + out + " is damaged"));
}

TEST(DataVerbs, InspectReadsABucketAsItReadsAFolder) {
  const DataFolder folder;
  folder.write("a.txt", real_text());
  const std::string out = (folder.path() / "out").string();
  const Outcome made =
      run("data tokenize --vocabulary 512 --out " + out + " " + folder.path().string());
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Outcome local = run("data inspect --json " + out);
  const Outcome remote = run("data inspect --json file://" + out);
  ASSERT_EQ(remote.exit_code, 0) << remote.err;
  EXPECT_EQ(remote.out, local.out);
  EXPECT_EQ(run("data inspect --verify file://" + out).exit_code, 0);
  std::filesystem::remove(folder.path() / "out/tokenizer.model");
  const Outcome incomplete = run("data inspect file://" + out);
  EXPECT_EQ(incomplete.exit_code, 1);
  EXPECT_THAT(incomplete.err, HasSubstr("tokenizer.model"));
  EXPECT_EQ(run("data inspect file:///nonexistent").exit_code, 1);
  EXPECT_EQ(run("data inspect gopher://somewhere").exit_code, 2);
}

TEST(DataVerbs, AnOlderDataSetIsRefusedWithWhatToDo) {
  const DataFolder folder;
  folder.write("manifest.json", R"({"version":1,"shards":[]})");
  const Outcome shown = run("data inspect " + folder.path().string());
  EXPECT_EQ(shown.exit_code, 2);
  EXPECT_THAT(shown.err, HasSubstr("version 1"));
  EXPECT_THAT(shown.err, HasSubstr("muster data tokenize"));
}

TEST(DataVerbs, WrongCommandLinesAreTwo) {
  const DataFolder folder;
  const std::string here = folder.path().string();
  for (const std::string& line :
       {std::string("data"), std::string("data tokenize"), "data tokenize --out " + here,
        "data tokenize --out " + here + "/out --vocabulary 3 " + here,
        "data tokenize --out " + here + "/out --shard-tokens 0 " + here,
        "data tokenize --out " + here + "/out " + here,  // Holds no text.
        std::string("data inspect"), "data inspect --loud " + here}) {
    const Outcome wrong = run(line);
    EXPECT_EQ(wrong.exit_code, 2) << line;
    EXPECT_FALSE(wrong.err.empty()) << line;
  }
}

TEST(DataVerbs, TroubleIsOne) {
  const DataFolder folder;
  const std::string here = folder.path().string();
  EXPECT_EQ(run("data inspect " + here).exit_code, 1);
  EXPECT_EQ(run("data tokenize --out " + here + "/out " + here + "/none.txt").exit_code, 1);
}

TEST(DataVerbs, HelpTeaches) {
  const Outcome help = run("data tokenize --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("form feed"));
  EXPECT_THAT(help.out, HasSubstr("tokenizer.model text/heldout"));
  EXPECT_THAT(help.out, HasSubstr("4096"));
}

}  // namespace
