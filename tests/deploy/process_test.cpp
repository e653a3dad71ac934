// Goal: what we start ends when we say so, and what ends by itself is started again and told of.
// Method: /bin/sh as the child, real time, generous deadlines; the supervisor's clock by hand.
#include "deploy/net/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "deploy/net/ports.h"
#include "deploy/net/status_file.h"
#include "deploy/net/supervised.h"
#include "tests/deploy/small_run.h"
#include "tests/temp_folder.h"

namespace deploy {
namespace {

using common::Instant;
using common::milliseconds;
using tests::eventually;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(Process, WritesToItsLogAndEndsWithItsStatus) {
  const tests::TempFolder folder;
  auto process = Process::start(shell("echo out; echo err >&2; exit 3"), folder / "log");
  ASSERT_TRUE(process);
  EXPECT_TRUE(eventually(30, [&] { return process->ended().has_value(); }));
  EXPECT_EQ(process->ended(), 3);
  EXPECT_EQ(tests::text_of(folder / "log"), "out\nerr\n");
}

TEST(Process, StopsWhenAskedAndIsKilledWhenItDoesNot) {
  const tests::TempFolder folder;
  auto polite = Process::start(shell("exec sleep 60"), folder / "log");
  ASSERT_TRUE(polite);
  EXPECT_EQ(polite->stop(milliseconds(10'000)), 128 + SIGTERM);
  auto deaf =
      Process::start(shell("trap '' TERM; echo ready; while :; do sleep 1; done"), folder / "deaf");
  ASSERT_TRUE(deaf);
  EXPECT_TRUE(eventually(30, [&] { return tests::text_of(folder / "deaf") == "ready\n"; }));
  EXPECT_EQ(deaf->stop(milliseconds(100)), 128 + SIGKILL);
}

TEST(Process, TheEndOfTheOwnerIsItsEnd) {
  const tests::TempFolder folder;
  pid_t id = 0;
  {
    auto process = Process::start(shell("exec sleep 60"), folder / "log");
    ASSERT_TRUE(process);
    id = process->id();
    EXPECT_EQ(kill(id, 0), 0);
  }
  EXPECT_NE(kill(id, 0), 0);
}

TEST(Process, AProgramThatIsNotThereIsStatus127) {
  const tests::TempFolder folder;
  auto process = Process::start({"/nonexistent/program"}, folder / "log");
  ASSERT_TRUE(process);
  EXPECT_TRUE(eventually(30, [&] { return process->ended().has_value(); }));
  EXPECT_EQ(process->ended(), 127);
  EXPECT_FALSE(Process::start(shell(":"), "/proc/nowhere/log"));
}

TEST(Process, OutputAndStatusOfAProgram) {
  const auto output = output_of(shell("echo one; echo two; exit 4"));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->text, "one\ntwo\n");
  EXPECT_EQ(output->status, 4);
}

// Tends with the clock at `now` until an event comes.
std::string next_event(Supervised& program, Instant now) {
  std::optional<std::string> event;
  EXPECT_TRUE(eventually(30, [&] { return (event = program.tend(now)).has_value(); }));
  return event.value_or("");
}

TEST(Supervised, IsStartedAgainAfterAPauseThatDoublesUntilGivenUp) {
  const tests::TempFolder folder;
  Supervised program("miner-1", shell("echo started; echo no bucket; exit 1"), folder / "log");
  Instant now{1'000'000};
  ASSERT_TRUE(program.start(now));
  for (uint32_t i = 1; i <= kRestartsMax; ++i) {
    const int64_t pause_s = int64_t{1} << (i - 1);
    EXPECT_EQ(next_event(program, now), "miner-1 ended with status 1; started again in " +
                                            std::to_string(pause_s) + " s (" + std::to_string(i) +
                                            " of 5); its log ends: no bucket");
    EXPECT_FALSE(program.tend(now + milliseconds(1000 * pause_s - 1)));
    EXPECT_FALSE(program.is_running());
    now = now + milliseconds(1000 * pause_s);
    EXPECT_FALSE(program.tend(now));
    EXPECT_TRUE(program.is_running());
    EXPECT_EQ(program.restart_count(), i);
  }
  EXPECT_EQ(next_event(program, now), "miner-1 ended with status 1; given up, see " +
                                          (folder / "log").string() + "; its log ends: no bucket");
  EXPECT_TRUE(program.is_given_up());
  EXPECT_FALSE(program.tend(now + milliseconds(1'000'000)));
}

TEST(Supervised, WrongInputIsNotTriedAgain) {
  const tests::TempFolder folder;
  Supervised program("miner-1", shell("echo unknown key; exit 2"), folder / "log");
  ASSERT_TRUE(program.start(Instant{1'000}));
  EXPECT_EQ(next_event(program, Instant{1'000}),
            "miner-1 ended with status 2; not started again: its input is wrong, see " +
                (folder / "log").string() + "; its log ends: unknown key");
  EXPECT_TRUE(program.is_given_up());
}

TEST(Supervised, AGoodMinuteIsForgiving) {
  const tests::TempFolder folder;
  Supervised program("miner-1", shell("exit 1"), folder / "log");
  Instant now{1'000'000};
  ASSERT_TRUE(program.start(now));
  for (int i = 0; i < 12; ++i) {
    now = now + milliseconds(60'000);
    EXPECT_EQ(next_event(program, now),
              "miner-1 ended with status 1; started again in 1 s (1 of 5)");
    now = now + milliseconds(1'000);
    EXPECT_FALSE(program.tend(now));
  }
}

TEST(Supervised, WhatIsStoppedStaysStopped) {
  const tests::TempFolder folder;
  Supervised program("miner-1", shell("exec sleep 60"), folder / "log");
  ASSERT_TRUE(program.start(Instant{1'000}));
  program.ask_to_stop();
  program.stop(milliseconds(10'000));
  EXPECT_FALSE(program.tend(Instant{1'000'000}));
  EXPECT_FALSE(program.is_running());
}

TEST(Ports, AFreeOneIsFreeAndOneInUseIsNot) {
  const auto port = free_port();
  ASSERT_TRUE(port);
  EXPECT_TRUE(check_port(*port));
}

TEST(StatusFile, StrangeFilesAreHarmless) {
  for (const char* text :
       {"null", "[]", "{}", R"({"phase":7,"sealed_bytes":"x","verdict":[]})",
        R"({"peers":7,"heldout_history":7})",
        R"({"peers":[7,{"uid":"x"}],"heldout_history":[7,[1],["a",2],[1,null]]})"}) {
    const auto json = nlohmann::json::parse(text);
    NodeView node;
    read_node(json, node);
    EXPECT_EQ(node.phase, "starting") << text;
    EXPECT_EQ(node.verdict, "-") << text;
    read_judgements(json);
    EXPECT_TRUE(read_heldout(json).empty()) << text;
  }
}

TEST(StatusFile, WhatAValidatorWritesIsRead) {
  const auto json = nlohmann::json::parse(
      R"({"peers":[{"uid":6,"gain":0.5,"gain_error":0.1,"advantage":1,"rating":26,"weight":0.25}],
          "heldout_history":[[1,8.5],[2,7.25]]})");
  const auto judgements = read_judgements(json);
  ASSERT_EQ(judgements.size(), 1U);
  EXPECT_EQ(judgements[0].uid, 6);
  EXPECT_EQ(judgements[0].gain, 0.5);
  EXPECT_EQ(judgements[0].weight, 0.25);
  EXPECT_EQ(read_heldout(json), (std::vector<std::pair<uint64_t, double>>{{1, 8.5}, {2, 7.25}}));
}

}  // namespace
}  // namespace deploy
