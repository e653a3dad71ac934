// Goal: `muster model` does what its help says, from a file of llama2.c to a story, and its exit
// code tells how it went. Method: the verbs parsed in-process, with what they print caught.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/object_store.h"
#include "tests/temp_folder.h"
#include "tests/train/small_subnet.h"
#include "train/checkpoint.h"
#include "train/commands.h"
#include "train/hf_checkpoint.h"

namespace train {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kData = MUSTER_SOURCE_DIR "/tests/train/data/";
constexpr const char* kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One day, she saw a big, red ball. She wanted to play with it, but it was too high";

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

Outcome run(const std::string& arguments) {
  CLI::App app{"", "muster"};
  Outcome result{-1, "", ""};
  add_data_verbs(app, result.exit_code);
  add_model_verbs(app, result.exit_code);
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

class ModelVerbsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<tests::TempFolder>();
    const Outcome made = run("model import " + kData + "stories260K.bin --tokenizer " + kData +
                             "tok512.bin --out " + stories());
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("260032 parameters"));
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static std::string stories() { return path("stories"); }
  static std::string text(const std::string& name, const std::string& content) {
    std::ofstream(path(name)) << content;
    return path(name);
  }

  static std::unique_ptr<tests::TempFolder> folder_;
};
std::unique_ptr<tests::TempFolder> ModelVerbsTest::folder_;

TEST_F(ModelVerbsTest, GenerateTellsTheKnownStory) {
  const Outcome told = run("model generate -t 0 --max-tokens 120 " + stories());
  ASSERT_EQ(told.exit_code, 0) << told.err;
  EXPECT_THAT(told.out, StartsWith(kStory));
  EXPECT_THAT(told.err, HasSubstr("120 tokens"));
  const Outcome prompted =
      run("model generate -t 0 --max-tokens 20 --json --prompt \"Once upon a time\" " + stories());
  ASSERT_EQ(prompted.exit_code, 0) << prompted.err;
  const json object = json::parse(prompted.out);
  EXPECT_EQ(object["prompt"], "Once upon a time");
  EXPECT_THAT(object["text"].get<std::string>(), StartsWith(", there was a little girl"));
  EXPECT_EQ(object["tokens"].size(), 20U);
  EXPECT_EQ(object["stopped"], "length");
}

TEST_F(ModelVerbsTest, TheSameSeedTellsTheSame) {
  const auto told = [&](const std::string& flags) {
    const Outcome outcome = run("model generate --json --max-tokens 40 " + flags + " " + stories());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out)["text"].get<std::string>();
  };
  EXPECT_EQ(told("--seed 5"), told("--seed 5 --threads 2"));
  EXPECT_NE(told("--seed 5"), told("--seed 6"));
  EXPECT_EQ(told("--seed 5 --top-k 1"), told("--temperature 0"));
}

// 512 positions: the begin token and 511 more, and the last one is foretold.
TEST_F(ModelVerbsTest, GenerateStopsWhereTheModelEnds) {
  const Outcome told = run("model generate -t 0 --json --max-tokens 5000 " + stories());
  ASSERT_EQ(told.exit_code, 0) << told.err;
  const json object = json::parse(told.out);
  EXPECT_TRUE(object["stopped"] == "context" || object["stopped"] == "end");
  EXPECT_LE(object["tokens"].size(), 512U);
  std::string prompt;
  for (int i = 0; i < 600; ++i) prompt += "Lily ";
  const Outcome long_prompt =
      run("model generate --prompt-file " + text("long.txt", prompt) + " " + stories());
  EXPECT_EQ(long_prompt.exit_code, 2);
  EXPECT_THAT(long_prompt.err, HasSubstr("the model reads 512: shorten it"));
}

TEST_F(ModelVerbsTest, EvalKnowsAStoryFromNoise) {
  const std::string story = text("story.txt", kStory);
  const Outcome good = run("model eval --json " + stories() + " " + story);
  ASSERT_EQ(good.exit_code, 0) << good.err;
  const json object = json::parse(good.out);
  EXPECT_EQ(object["documents"], 1);
  EXPECT_EQ(object["bytes"], std::string(kStory).size());
  const double loss = object["loss"];
  EXPECT_LT(loss, 1.0);
  EXPECT_NEAR(object["perplexity"].get<double>(), std::exp(loss), 1e-9);
  EXPECT_NEAR(object["bits_per_byte"].get<double>(),
              loss * object["tokens"].get<double>() / std::log(2.0) /
                  static_cast<double>(std::string(kStory).size()),
              1e-9);
  const Outcome bad =
      run("model eval --json " + stories() + " " + text("noise.txt", "zq#xv 8Kw}~ qqq ZZY"));
  ASSERT_EQ(bad.exit_code, 0) << bad.err;
  EXPECT_GT(json::parse(bad.out)["loss"].get<double>(), 5.0);
  const Outcome shown = run("model eval " + stories() + " " + story);
  EXPECT_THAT(shown.out, HasSubstr("bits per byte"));
}

TEST_F(ModelVerbsTest, EvalReadsADataSetOfTheSameTokenizerOnly) {
  std::string stories_text;
  for (int i = 0; i < 20; ++i) stories_text += std::string(kStory) + ".\n\f\n";
  text("set.txt", stories_text);
  const Outcome made = run("data tokenize --tokenizer " + stories() + "/tokenizer.model --out " +
                           path("set") + " " + path("set.txt"));
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Outcome good = run("model eval --json --sequence-length 64 --samples 5 --data " +
                           path("set") + " " + stories());
  ASSERT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(json::parse(good.out)["tokens"], 5 * 64);
  const Outcome bytes =
      run("data tokenize --tokenizer bytes --out " + path("bytes") + " " + path("set.txt"));
  ASSERT_EQ(bytes.exit_code, 0) << bytes.err;
  const Outcome other = run("model eval --data " + path("bytes") + " " + stories());
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("another tokenizer"));
  EXPECT_EQ(run("model eval " + stories()).exit_code, 2);
}

TEST_F(ModelVerbsTest, InspectShowsWhatStartsANetwork) {
  const Outcome shown = run("model inspect --json " + stories());
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  const json object = json::parse(shown.out);
  EXPECT_EQ(object["parameters"], 260'032);
  EXPECT_EQ(object["tensors"].size(), 47U);
  EXPECT_EQ(object["tensors"][0]["shape"], (json{512, 64}));
  const Outcome section = run("model inspect --hparams " + stories());
  const json model = json::parse(section.out)["model"];
  EXPECT_EQ(model["initial_theta"], object["theta_root"]);
  EXPECT_EQ(model["kv_heads"], 4);
  const Outcome plain = run("model inspect " + stories());
  EXPECT_THAT(plain.out, HasSubstr(object["theta_root"].get<std::string>()));
  EXPECT_THAT(plain.out, HasSubstr("512 x 64"));
}

TEST_F(ModelVerbsTest, ImportTakesAHuggingFaceFolderToo) {
  const Outcome made = run("model import --json --dtype bf16 --shard-gb 0.0002 --out " +
                           path("halves") + " " + stories());
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(json::parse(made.out)["dtype"], "bfloat16");
  EXPECT_TRUE(std::filesystem::exists(path("halves") + "/model.safetensors.index.json"));
  const Outcome told = run("model generate -t 0 --max-tokens 20 " + path("halves"));
  EXPECT_THAT(told.out, StartsWith("Once upon a time, there was a little girl"));
}

TEST_F(ModelVerbsTest, ExportMakesAModelOfACheckpoint) {
  const common::Hparams hparams = small_hparams();
  text("hparams.json", hparams.canonical());
  const auto store = common::open_store("file://" + path("bucket"), true).value();
  const Replica replica = Replica::genesis(hparams, Window{6});
  ASSERT_TRUE(save_checkpoint(*store, replica, hparams, key_of(0)));
  const std::string from = "model export --hparams " + path("hparams.json") + " --from ";
  const Outcome made = run(from + path("bucket") + " --out " + path("exported"));
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("before window 6, root " + replica.root().hex()));
  const auto folder = HfFolder::open(path("exported"));
  ASSERT_TRUE(folder) << folder.error().message;
  const auto theta = folder->read_theta();
  ASSERT_TRUE(theta);
  EXPECT_EQ(*theta, std::vector<float>(replica.theta().begin(), replica.theta().end()));
  EXPECT_EQ(folder->config().begin_token, std::nullopt);

  const Outcome address = run(from + "file://" + path("bucket") + " --window 6 --signer " +
                              key_of(0).account().ss58() + " --out " + path("again"));
  EXPECT_EQ(address.exit_code, 0) << address.err;
  const Outcome stranger = run(from + path("bucket") + " --signer " + key_of(1).account().ss58() +
                               " --out " + path("stranger"));
  EXPECT_EQ(stranger.exit_code, 1);
  const Outcome later = run(from + path("bucket") + " --window 9 --out " + path("later"));
  EXPECT_THAT(later.err, HasSubstr("the nearest before it is of 6"));
  const Outcome nowhere = run(from + path("nowhere") + " --out " + path("x"));
  EXPECT_THAT(nowhere.err, HasSubstr("checkpoint/ lies"));
}

TEST_F(ModelVerbsTest, WrongInputSaysWhatToDo) {
  const std::string bin = kData + "stories260K.bin";
  EXPECT_THAT(run("model import " + bin + " --out " + stories()).err,
              HasSubstr("there and not empty; name another folder"));
  EXPECT_EQ(run("model import " + kData + "tok512.bin --out " + path("no")).exit_code, 2);
  const Outcome bare = run("model import " + bin + " --out " + path("bare"));
  EXPECT_THAT(bare.out, HasSubstr("without a tokenizer"));
  EXPECT_THAT(run("model generate " + path("bare")).err, HasSubstr("name one with --tokenizer"));
  EXPECT_THAT(run("model generate " + path("nothing")).err, HasSubstr("muster model import"));
  EXPECT_EQ(run("model generate --top-p 0 " + stories()).exit_code, 2);
  EXPECT_EQ(run("model import " + bin + " --dtype int8 --out " + path("y")).exit_code, 2);
  // A tokenizer of more tokens than the model has.
  const std::string larger = kData + "../../../tests/train/data/tokenizers/llama3.json";
  EXPECT_EQ(run("model generate --tokenizer " + larger + " " + stories()).exit_code, 2);
}

}  // namespace
}  // namespace train
