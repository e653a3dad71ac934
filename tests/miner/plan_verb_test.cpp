// Goal: `muster-miner plan` says what a model takes, in numbers that add up, and its exit code
//   whether it fits; bad input gets a sentence that says what would be right.
// Method: the verb in-process with what it prints caught, on the repository's tiny model and on one
//   of 72.7 G parameters, whose numbers are worked out by hand; then the real program once.
#include "miner/plan_verb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/verb.h"
#include "tests/deploy/small_run.h"
#include "tests/temp_folder.h"

namespace miner {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class PlanVerb : public testing::Test {
 protected:
  tests::Ran run(std::vector<std::string> words) {
    words.insert(words.begin(), {"muster-miner", "plan"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    CLI::App app("", "muster-miner");
    app.require_subcommand(1);
    int exit_code = 0;
    add_plan_verb(app, exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    tests::Ran ran;
    ran.code =
        common::run_program(app, exit_code, static_cast<int>(arguments.size()), arguments.data());
    ran.out = testing::internal::GetCapturedStdout();
    ran.trouble = testing::internal::GetCapturedStderr();
    return ran;
  }
  json answer(std::vector<std::string> words, int code) {
    words.push_back("--json");
    const tests::Ran ran = run(std::move(words));
    EXPECT_EQ(ran.code, code) << ran.trouble;
    return json::parse(ran.out);
  }

  static json tiny() {
    return json::parse(tests::text_of(MUSTER_SOURCE_DIR "/deploy/hparams/tiny.json"));
  }
  std::string written(const json& hparams) {
    std::ofstream(folder_ / "hparams.json") << hparams.dump(1);
    return (folder_ / "hparams.json").string();
  }
  // A layer: q and o 8192^2 each, k and v 8192 * 1024, gate, up and down 8192 * 28,672, two norms:
  // 855,654,400 parameters. 80 of them, a norm, two tables of 262,144 * 8192: 72,747,327,488.
  std::string large() {
    json hparams = tiny();
    hparams["model"].update({{"vocabulary", 262'144},
                             {"dim", 8192},
                             {"layers", 80},
                             {"heads", 64},
                             {"kv_heads", 8},
                             {"hidden", 28'672},
                             {"sequence_length", 2048},
                             {"rope_theta", 500'000},
                             {"tied_embeddings", false}});
    hparams["inner"]["sequences_per_step"] = 192;
    hparams["evaluation"]["tokens_max"] = 65'536;
    return written(hparams);
  }

  tests::TempFolder folder_;
};

TEST_F(PlanVerb, ASmallModelFitsOnOneCardWhole) {
  const tests::Ran ran = run({"--hparams", written(tiny())});
  EXPECT_EQ(ran.code, 0) << ran.trouble;
  EXPECT_EQ(ran.trouble, "");
  EXPECT_THAT(ran.out, HasSubstr("1 card of 140.0 GiB, bf16: nothing sharded, layers kept, "
                                 "1024 positions at once"));
  EXPECT_THAT(ran.out, HasSubstr("\nIt fits: "));
  EXPECT_THAT(ran.out, HasSubstr("MiB         theta    gradient     moments"));
}

// 1,311,872 parameters in fp32: theta 5,247,488 bytes, the gradient as many, two moments each; of
// the weights in bf16 all but nine norms of 128: 2 * 1,310,720.
TEST_F(PlanVerb, JsonAddsUp) {
  const json plan = answer({"--hparams", written(tiny())}, 0);
  EXPECT_EQ(plan.at("parameters").get<uint64_t>(), 1'311'872U);
  EXPECT_TRUE(plan.at("fits").get<bool>());
  EXPECT_TRUE(plan.at("sharding").is_null());
  ASSERT_EQ(plan.at("cards").size(), 1U);
  const json& card = plan.at("cards").at(0);
  EXPECT_EQ(card.at("theta").get<uint64_t>(), 5'247'488U);
  EXPECT_EQ(card.at("gradient").get<uint64_t>(), 5'247'488U);
  EXPECT_EQ(card.at("moments").get<uint64_t>(), 2 * 5'247'488U);
  EXPECT_EQ(card.at("scratch").get<uint64_t>(), 0U);
  EXPECT_EQ(card.at("packed").get<uint64_t>(), 2 * 1'310'720U);
  uint64_t sum = 0;
  for (const auto& [name, bytes] : card.items()) {
    if (name != "total") sum += bytes.get<uint64_t>();
  }
  EXPECT_EQ(card.at("total").get<uint64_t>(), sum);
  EXPECT_EQ(plan.at("host").at("feedback").get<uint64_t>(), 5'247'488U);
}

// Of 8 ranks, in GiB: theta and gradient 72,747,327,488 * 4 / 8 = 33.88 each. Moments twice that,
// 542.0 for all, in host memory; on the card the largest piece's, a table with a norm, 2 * 4 *
// 2,147,491,840 / 8 = 2.00. Scratch for theta and gradient: two layers and that piece, 4 * (2 *
// 855,654,400 + 2,147,491,840) = 14.38, twice 28.75. The same in bf16 7.19. Activations of 2,048
// positions recomputed 3.45 (80 inputs of 8192 in bf16: 2.50; a layer, gradients and statistics
// 0.95), eight times that 27.57. Logits of 512 positions in fp32 and bf16 0.75. Workspace and sums
// 0.08. Together 134.09.
TEST_F(PlanVerb, Of72BillionParametersOnEightCards) {
  const std::string hparams = large();
  const tests::Ran ran = run({"--hparams", hparams, "--cards", "8"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("72.747 G parameters (80 layers of 8192, vocabulary 262144)"));
  const std::string numbers =
      "       33.88       33.88        2.00       28.75        7.19       27.57        0.75        "
      "0.08      134.09\n";
  for (const char* rank : {"0", "1", "2", "3", "4", "5", "6", "7"}) {
    EXPECT_THAT(ran.out, HasSubstr(std::string("\n") + rank + "    " + numbers));
  }
  // 72,747,327,488 * 4 bytes are 271.0 GiB: replica, feedback, moments twice, and one of what comes
  // in turn.
  EXPECT_THAT(ran.out, HasSubstr("\n  theta                  271.0 GiB  the network's model"));
  EXPECT_THAT(ran.out, HasSubstr("\n  moments                542.0 GiB  what the optimiser"));
  EXPECT_THAT(ran.out, HasSubstr("\n  together              1355.0 GiB  at the most\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nIt fits: 5.9 GiB of 140.0 GiB are left on the fullest card"));
  const json a100 = answer({"--hparams", hparams, "--cards", "8", "--card-memory", "80GiB"}, 1);
  EXPECT_THAT(a100.at("shortage").get<std::string>(),
              HasSubstr("32.0 GiB too much, even with optimiser, gradient and parameters sharded, "
                        "moments in host memory, layers recomputed, 2048 positions at once; 16 "
                        "such cards hold it"));
  const json sixteen = answer({"--hparams", hparams, "--cards", "16"}, 0);
  EXPECT_EQ(sixteen.at("sharding").get<std::string>(), "parameters");
  EXPECT_FALSE(sixteen.at("moments_in_host_memory").get<bool>());
}

TEST_F(PlanVerb, WishesAreHeeded) {
  const json plan = answer({"--hparams", written(tiny()), "--cards", "3", "--sharding", "gradients",
                            "--recompute", "--precision", "fp32"},
                           0);
  EXPECT_EQ(plan.at("sharding").get<std::string>(), "gradients");
  EXPECT_TRUE(plan.at("recompute").get<bool>());
  ASSERT_EQ(plan.at("cards").size(), 3U);
  EXPECT_EQ(plan.at("cards").at(1).at("packed").get<uint64_t>(), 0U);
}

TEST_F(PlanVerb, CardMemoryIsReadInItsUnits) {
  const std::string hparams = written(tiny());
  const auto bytes = [&](const char* text) {
    return answer({"--hparams", hparams, "--card-memory", text}, 0)
        .at("card_memory_bytes")
        .get<uint64_t>();
  };
  EXPECT_EQ(bytes("80"), uint64_t{80} << 30);
  EXPECT_EQ(bytes("79.5GiB"), (uint64_t{79} << 30) + (uint64_t{1} << 29));
  EXPECT_EQ(bytes("180GB"), 180'000'000'000U);
  EXPECT_EQ(bytes("24576MiB"), uint64_t{24} << 30);
}

TEST_F(PlanVerb, BadInputGetsASentence) {
  const std::string hparams = written(tiny());
  const auto expect = [&](int code, std::vector<std::string> words, const std::string& part) {
    const tests::Ran ran = run(std::move(words));
    EXPECT_EQ(ran.code, code) << part;
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.trouble, AllOf(HasSubstr("muster-miner: "), HasSubstr(part)));
  };
  expect(2, {}, "--hparams is required");
  expect(1, {"--hparams", "/nonexistent/hparams.json"}, "/nonexistent/hparams.json");
  expect(2, {"--hparams", hparams, "--cards", "0"}, "--cards");
  expect(2, {"--hparams", hparams, "--cards", "many"}, "--cards");
  expect(2, {"--hparams", hparams, "--sharding", "some"}, "--sharding");
  expect(2, {"--hparams", hparams, "--sharding", "gradients"},
         "--sharding is for several cards; say how many with --cards, or leave it out");
  for (const char* memory :
       {"much", "-3GiB", "140TiB", "140 GiB", "", "nan", "inf", "1e300", "0"}) {
    expect(2, {"--hparams", hparams, std::string("--card-memory=") + memory}, "--card-memory");
  }
  json wrong = tiny();
  wrong["model"]["heads"] = 3;
  expect(2, {"--hparams", written(wrong)}, "model.heads: should divide dim");
  wrong = tiny();
  wrong["codec"]["tile"] = 1000;
  expect(2, {"--hparams", written(wrong)}, "codec.tile: should be a square");
  wrong = tiny();
  wrong["model"]["vocabulary"] = 1 << 24;
  wrong["model"]["dim"] = 4096;
  expect(2, {"--hparams", written(wrong)}, "model.vocabulary: times dim should be below 2^32");
}

TEST_F(PlanVerb, TheProgramHasItAndExplainsIt) {
  tests::Program help(folder_.path(), "muster-miner", {"plan", "--help"});
  const tests::Ran told = help.wait(60);
  EXPECT_EQ(told.code, 0);
  EXPECT_THAT(told.out, AllOf(HasSubstr("No card is needed"), HasSubstr("--card-memory"),
                              HasSubstr("Exit code: 0 it fits, 1 it does not")));
  tests::Program plan(folder_.path(), "muster-miner", {"plan", "--hparams", written(tiny())});
  const tests::Ran ran = plan.wait(60);
  EXPECT_EQ(ran.code, 0) << ran.trouble;
  EXPECT_THAT(ran.out, HasSubstr("It fits: "));
}

}  // namespace
}  // namespace miner
