// Goal: the live screen says what it should in any size of terminal, and never more than fits.
// Method: a view made by hand, rendered and read; properties over many sizes.
#include "deploy/net/screen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "deploy/net/log_tail.h"
#include "deploy/net/report.h"

namespace deploy {
namespace {

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string joined(const std::vector<std::string>& lines) {
  return std::accumulate(
      lines.begin(), lines.end(), std::string(),
      [](std::string all, const std::string& line) { return std::move(all) + line + "\n"; });
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

View example() {
  View view;
  view.window = 5;
  view.block = 431;
  view.block_of_window = 31;
  view.block_s = 0.25;
  view.phases = {{"train", 50}, {"reveal", 56}, {"manifest", 60}, {"judge and apply", 80}};
  view.heldout = {{1, 8.3}, {2, 7.1}, {3, 6.2}, {4, 5.9}};
  view.nodes.push_back({.name = "validator-0",
                        .role = common::Role::kValidator,
                        .uid = common::Uid{1},
                        .phase = "awaiting claims",
                        .incentive = 0.5,
                        .balance_rao = 20'000'000'000'000});
  view.nodes.push_back({.name = "miner-3",
                        .role = common::Role::kMiner,
                        .uid = common::Uid{6},
                        .phase = "training",
                        .sealed_bytes = 25'000,
                        .bytes_sent = 101'400,
                        .verdict = "wrong hparams",
                        .judgement = Judgement{6, 0.0421, 0.001, 0.75, 26.5, 0.31},
                        .incentive = 0.2512,
                        .balance_rao = 1'000'123'400'000,
                        .earned_rao = 123'400'000,
                        .restart_count = 1});
  return view;
}

TEST(Screen, SaysWindowPhaseTimeLossAndAllOfANeuron) {
  const std::string text = joined(render_screen(example(), {4, 12, 61.2}, {140, 40}));
  EXPECT_TRUE(has(text, "window 5   4 of 12 done   block 431   61 s")) << text;
  EXPECT_TRUE(has(text, "train: 5 s left, window: 12 s")) << text;  // 19 and 49 blocks of 0.25 s.
  EXPECT_TRUE(has(text, "5.9000 nats a token, at first 8.3000  █▄▂▁")) << text;
  for (const char* part : {"6", "miner-3", "training", "+0.0421", "+0.75", "26.50", "0.3100",
                           "0.2512", "1000.12", "101.4 kB", "wrong hparams"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
}

TEST(Screen, FitsEveryTerminal) {
  View view = example();
  view.events.emplace_back("miner-3 was killed by signal 9; started again in 1 s (1 of 5)");
  for (size_t columns = 1; columns <= 160; ++columns) {
    for (const size_t rows : {1, 5, 24}) {
      const auto lines = render_screen(view, {4, 12, 61.2}, {columns, rows});
      EXPECT_LE(lines.size(), rows);
      for (const std::string& line : lines) EXPECT_LE(characters(line), columns) << line;
    }
  }
}

TEST(Screen, ANarrowTerminalKeepsWhatMatters) {
  const std::string text = joined(render_screen(example(), {4, 12, 61.2}, {80, 24}));
  for (const char* part : {"uid", "miner-3", "+0.0421", "26.50", "0.2512", "wrong hpar"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(has(text, "state")) << text;
}

TEST(Screen, BeforeAnythingIsKnownItSaysSo) {
  View view;
  view.ledger_answers = false;
  view.nodes.push_back({.name = "miner-0", .role = common::Role::kMiner});
  const std::string text = joined(render_screen(view, {0, 12, 0}, {120, 24}));
  EXPECT_TRUE(has(text, "not measured yet")) << text;
  EXPECT_TRUE(has(text, "the ledger does not answer")) << text;
  EXPECT_TRUE(has(text, "starting")) << text;
}

TEST(Screen, TheLastEventsAreShown) {
  View view = example();
  for (int i = 0; i < 9; ++i) view.events.push_back("event " + std::to_string(i));
  const std::string text = joined(render_screen(view, {4, 12, 61.2}, {120, 40}));
  EXPECT_FALSE(has(text, "event 4")) << text;
  EXPECT_TRUE(has(text, "event 5\nevent 6\nevent 7\nevent 8\n")) << text;
}

TEST(Screen, TheChartShowsTheNewestAndItsExtremes) {
  EXPECT_EQ(chart({}, 10), "");
  EXPECT_EQ(chart({{1, 5.0}}, 10), "▁");
  EXPECT_EQ(chart({{1, 9.0}, {2, 2.0}, {3, 1.0}}, 2), "█▁");
  EXPECT_EQ(chart({{1, 9.0}, {2, 2.0}}, 0), "");
}

TEST(Screen, ThePhaseBarFillsFromTheLeftAndKeepsItsWidth) {
  View view = example();
  size_t filled_before = 0;
  for (view.block_of_window = 0; view.block_of_window < 80; ++view.block_of_window) {
    const std::string bar = phase_bar(view, 40);
    ASSERT_EQ(characters(bar), 40U);
    size_t filled = 0;
    for (size_t at = 0; (at = bar.find("█", at)) != std::string::npos; ++at) ++filled;
    EXPECT_GE(filled, filled_before);
    filled_before = filled;
    size_t boundaries = 0;
    for (size_t at = 0; (at = bar.find("│", at)) != std::string::npos; ++at) ++boundaries;
    EXPECT_EQ(boundaries, 3U) << bar;
  }
}

TEST(Screen, ClipKeepsCharactersWhole) {
  EXPECT_EQ(clip("a█b", 2), "a█");
  EXPECT_EQ(clip("a█b", 1), "a");
  EXPECT_EQ(clip("a█b", 9), "a█b");
  EXPECT_EQ(clip("", 0), "");
}

TEST(Screen, BytesAreSaidInTheirUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1'000), "1.0 kB");
  EXPECT_EQ(human_bytes(25'480'000), "25.5 MB");
  EXPECT_EQ(human_bytes(1'420'000'000), "1.42 GB");
}

TEST(Screen, TheLineOfALogIsAboutTheWindowThatIsOver) {
  EXPECT_EQ(render_line(example(), {4, 12, 61.2}),
            "  61 s  window 4 is over, 4 of 12 done  held-out loss 5.9000  0 of 1 accepted");
}

TEST(LogTail, ALogLineIsItsMessage) {
  EXPECT_EQ(log_sentence(R"({"time":"t","level":"error","node":"miner","message":"no\nbucket"})"),
            "no bucket");
  EXPECT_EQ(log_sentence("muster-miner: no bucket"), "muster-miner: no bucket");
  EXPECT_EQ(log_sentence("\033[31mred"), " [31mred");
  EXPECT_EQ(log_sentence(std::string(1000, 'x')).size(), 300U);
  EXPECT_EQ(last_sentence("/nonexistent/log"), "");
}

Report example_report() {
  Report report;
  report.windows = 4;
  report.seconds = 61.2;
  report.heldout_loss_first = 8.3;
  report.heldout_loss_last = 5.9;
  report.state_roots_equal = true;
  report.state_root = "abcd1234";
  report.audit_ok = true;
  report.parameter_count = 1'250'000;
  report.audits = {"validator-0: 4 windows recomputed, equal bit for bit"};
  report.view = example();
  return report;
}

TEST(Report, SaysLossRootsAuditAndEarnings) {
  const std::string text = render_report(example_report());
  for (const char* part : {"4 windows in 61 s", "8.3000 -> 5.9000", "yes (2 nodes, abcd1234)",
                           "equal bit for bit", "0.1234", "25000", "200.0x"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;  // 5,000,000 bytes of fp32 / 25,000.
  }
  Report bad = example_report();
  bad.state_roots_equal = bad.audit_ok = false;
  EXPECT_TRUE(has(render_report(bad), "NO (2 nodes")) << render_report(bad);
  EXPECT_TRUE(has(render_report(bad), "FAILED"));
}

TEST(Report, JsonIsOneLineWithEveryField) {
  const std::string line = report_json(example_report());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["held_out_loss_first"], 8.3);
  EXPECT_EQ(json["held_out_loss_last"], 5.9);
  EXPECT_EQ(json["state_roots_equal"], true);
  EXPECT_EQ(json["audit_ok"], true);
  EXPECT_EQ(json["windows"], 4);
  EXPECT_EQ(json["seconds"], 61.2);
  ASSERT_EQ(json["neurons"].size(), 2U);
  const auto& miner = json["neurons"][1];
  EXPECT_EQ(miner["uid"], 6);
  EXPECT_EQ(miner["role"], "miner");
  EXPECT_EQ(miner["earned_tao"], 0.1234);
  EXPECT_EQ(miner["bytes_per_update"], 25'000);
  EXPECT_EQ(miner["ratio_to_fp32"], 200.0);
  EXPECT_EQ(miner["verdict"], "wrong hparams");
  EXPECT_EQ(miner["restarts"], 1);
}

}  // namespace
}  // namespace deploy
