// Goal: the README, the shells' completions and the program say the same. Method: the program's own
// tree of verbs, without what they do, against the README's words and code blocks; completions are
// asked for in a real bash.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "chain/commands.h"
#include "tests/chain/cli_runner.h"
#include "train/commands.h"

namespace tests {
namespace {

std::string readme() { return text_of(std::string(MUSTER_SOURCE_DIR) + "/README.md"); }

std::vector<CLI::App*> verbs_of(CLI::App& noun) {
  return noun.get_subcommands([](CLI::App*) { return true; });
}

// As deploy/muster.cpp puts it together.
class Tree {
 public:
  Tree() {
    app_.require_subcommand(1);
    chain::add_wallet_verbs(app_, exit_code_);
    chain::add_chain_verbs(app_, exit_code_);
    chain::add_payment_verbs(app_, exit_code_);
    chain::add_ledger_verb(app_, exit_code_);
    train::add_data_verbs(app_, exit_code_);
    train::add_model_verbs(app_, exit_code_);
    chain::add_debug_verbs(app_, exit_code_);
    chain::add_completion_verb(app_, exit_code_);
    disarm(app_);
  }
  CLI::App& app() { return app_; }

  // "" if the program would take this line; else why not.
  std::string fault_of(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& wrong) {
      return wrong.get_exit_code() == 0 ? "" : wrong.what();
    }
    return "";
  }

 private:
  static void disarm(CLI::App& app) {
    app.callback(nullptr);
    for (CLI::App* verb : verbs_of(app)) disarm(*verb);
  }

  int exit_code_ = 0;
  CLI::App app_{"", "muster"};
};

// The words of a line as a shell sees them, as far as a README needs: quotes, and what ends a
// command.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> out;
  std::string word;
  bool open = false;
  char quote = 0;
  for (const char c : line + " ") {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c == ' ') {
      if (open) out.push_back(word);
      word.clear();
      open = false;
    } else if (!open && (c == '#' || c == '<' || c == '>' || c == '|')) {
      break;
    } else {
      word += c;
      open = true;
    }
  }
  return out;
}

// The first words of the local network's screen, which the README shows.
constexpr const char* kLocalnetTitle = "muster localnet ";

// Every command of `muster` in the code blocks, and in `such quotes` of the text.
std::vector<std::string> commands_in(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  bool in_block = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      in_block = !in_block;
    } else if (in_block && line.starts_with("muster ") && !line.starts_with(kLocalnetTitle)) {
      out.push_back(line);
    } else if (!in_block) {
      for (size_t at = line.find("`muster "); at != std::string::npos;
           at = line.find("`muster ", at + 1)) {
        out.push_back(line.substr(at + 1, line.find('`', at + 1) - at - 1));
      }
    }
  }
  return out;
}

TEST(Readme, NamesEveryVerbOfChainAndWallet) {
  Tree tree;
  const std::string text = readme();
  for (const std::string noun : {"chain", "wallet"}) {
    const size_t at = text.find("| `muster " + noun + "` |");
    ASSERT_NE(at, std::string::npos) << "there is a row for " << noun;
    const std::string row = text.substr(at, text.find('\n', at) - at);
    for (const CLI::App* verb : verbs_of(*tree.app().get_subcommand(noun))) {
      EXPECT_TRUE(has(row, "`" + verb->get_name() + "`")) << noun << " " << verb->get_name();
    }
  }
}

TEST(Readme, EveryCommandInItIsUnderstood) {
  Tree tree;
  const auto commands = commands_in(readme());
  EXPECT_GT(commands.size(), 8u);
  for (const std::string& command : commands) {
    auto words = shell_words(command);
    words.erase(words.begin());
    if (words.size() == 1) continue;  // A noun, spoken of.
    EXPECT_EQ(tree.fault_of(words), "") << command;
  }
}

TEST(Help, EveryExampleIsUnderstood) {
  Tree tree;
  std::vector<CLI::App*> open = {&tree.app()};
  size_t seen = 0;
  while (!open.empty()) {
    CLI::App* app = open.back();
    open.pop_back();
    const auto below = verbs_of(*app);
    open.insert(open.end(), below.begin(), below.end());
    if (!below.empty()) continue;
    const std::string footer = app->get_footer();
    const size_t at = footer.find("  muster ");  // Indented: a line of its own, under "Example".
    if (at == std::string::npos) {
      EXPECT_EQ(app->get_parent()->get_name(), "data") << app->get_name() << " has no example";
      continue;
    }
    auto words = shell_words(footer.substr(at + 2, footer.find('\n', at) - at - 2));
    words.erase(words.begin());
    EXPECT_EQ(tree.fault_of(words), "") << footer;
    EXPECT_FALSE(app->get_description().empty()) << app->get_name();
    ++seen;
  }
  EXPECT_GT(seen, 25u);
}

TEST(Help, EveryFlagSaysWhatItIs) {
  Tree tree;
  for (const std::string noun : {"chain", "wallet"}) {
    for (const CLI::App* verb : verbs_of(*tree.app().get_subcommand(noun))) {
      for (const CLI::Option* option : verb->get_options()) {
        EXPECT_FALSE(option->get_description().empty())
            << verb->get_name() << " " << option->get_name();
      }
      EXPECT_NE(verb->get_option_no_throw("--json"), nullptr) << verb->get_name();
    }
  }
}

// -- Completions ----------------------------------------------------------------------------------

class Completion : public MusterCli {
 protected:
  void SetUp() override {
    MusterCli::SetUp();
    const Ran made = muster({"completion", "bash"});
    ASSERT_EQ(made.code, 0) << made.trouble;
    std::ofstream(folder_ / "completion.bash") << made.out;
  }
  // What bash proposes for the last of `words`.
  std::string proposed(const std::vector<std::string>& words) {
    std::string line = "source '" + (folder_ / "completion.bash").string() + "'; COMP_WORDS=(";
    for (const std::string& word : words) line += "'" + word + "' ";
    line += "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _muster; echo \"${COMPREPLY[*]}\"";
    std::ofstream(folder_ / "ask.bash") << line;
    const std::string command = "bash '" + (folder_ / "ask.bash").string() + "' > '" +
                                (folder_ / "proposed").string() + "' 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return text_of(folder_ / "proposed");
  }
};

TEST_F(Completion, BashProposesVerbsFlagsAndValues) {
  EXPECT_EQ(proposed({"muster", "cha"}), "chain\n");
  EXPECT_EQ(proposed({"muster", "chain", "meta"}), "metagraph\n");
  EXPECT_EQ(proposed({"muster", "chain", "metagraph", "--va"}), "--validators\n");
  EXPECT_EQ(proposed({"muster", "chain", "metagraph", "--netuid", "1", "--wat"}), "--watch\n");
  EXPECT_EQ(proposed({"muster", "chain", "call", "--signer", ""}), "coldkey hotkey\n");
  EXPECT_EQ(proposed({"muster", "completion", "z"}), "zsh\n");
  EXPECT_EQ(proposed({"muster", "wallet", "nonsense"}), "\n");
  EXPECT_TRUE(has(proposed({"muster", "data", ""}), "tokenize")) << "verbs of other rooms";
}

TEST_F(Completion, EveryShellKnowsEveryVerb) {
  Tree tree;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Ran made = muster({"completion", shell});
    EXPECT_EQ(made.code, 0) << made.trouble;
    for (CLI::App* noun : verbs_of(tree.app())) {
      for (const CLI::App* verb : verbs_of(*noun)) {
        EXPECT_TRUE(has(made.out, "muster " + noun->get_name() + " " + verb->get_name()))
            << shell << " " << verb->get_name();
      }
    }
    EXPECT_TRUE(has(made.out, "subtensor.chain_endpoint")) << shell;
  }
  const Ran unknown = muster({"completion", "tcsh"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_TRUE(has(unknown.trouble, "zsh")) << unknown.trouble;
}

}  // namespace
}  // namespace tests
