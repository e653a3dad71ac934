// muster completion: what a shell proposes when Tab is pressed, written down from the very tree of
// verbs and flags that reads the command line, so that the two cannot differ.
#include <CLI/CLI.hpp>
#include <initializer_list>
#include <set>
#include <string_view>

#include "chain/cli/output.h"
#include "chain/commands.h"
#include "common/verb.h"

namespace chain::cli {
namespace {

using common::Result;

struct Word {
  std::string text;  // A verb's name, or a flag with its dashes.
  std::string what;
};
struct Flag {
  std::vector<Word> spellings;
  bool takes_value = false;
  std::vector<std::string> values;  // All that it may be, if they are known.
};
// One verb or noun: "muster wallet", and what may follow it.
struct Node {
  std::string path;
  std::vector<Word> verbs;
  std::vector<Flag> flags;
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// "TEXT:{coldkey,hotkey}": the library says so what a value may be.
std::vector<std::string> values_in(const std::string& type) {
  std::vector<std::string> out;
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return out;
  std::string list = type.substr(open + 1, close - open - 1);
  while (!list.empty()) {
    const size_t comma = list.find(',');
    out.push_back(list.substr(0, comma));
    list.erase(0, comma == std::string::npos ? list.size() : comma + 1);
  }
  return out;
}

Flag flag_of(const CLI::Option& option) {
  Flag out;
  const std::string what = first_line(option.get_description());
  for (const std::string& name : option.get_lnames()) out.spellings.push_back({"--" + name, what});
  for (const std::string& name : option.get_snames()) out.spellings.push_back({"-" + name, what});
  out.takes_value = option.get_items_expected_max() > 0;
  if (out.takes_value) out.values = values_in(option.get_type_name());
  return out;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& out) {
  Node node{path, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    Flag flag = flag_of(*option);
    if (!flag.spellings.empty()) {
      node.flags.push_back(std::move(flag));
    } else {
      // A word without a name of its own: what it may be is proposed like verbs.
      for (const std::string& value : values_in(option->get_type_name())) {
        node.verbs.push_back({value, first_line(option->get_description())});
      }
    }
  }
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* verb : subcommands) {
    node.verbs.push_back({verb->get_name(), first_line(verb->get_description())});
  }
  out.push_back(std::move(node));
  for (const CLI::App* verb : subcommands) collect(*verb, path + " " + verb->get_name(), out);
}

void add(std::string& out, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) out.append(part);
}

// For all three shells: nothing in it has a meaning of its own between these quotes.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  out += '\'';
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) add(out, {out.empty() ? "" : " ", word});
  return out;
}

// The paths of all verbs but the program's own: 'muster wallet' | 'muster wallet new'.
std::string paths_pattern(const std::vector<Node>& nodes) {
  std::string out;
  for (size_t i = 1; i < nodes.size(); ++i) add(out, {i > 1 ? "|" : "", quoted(nodes[i].path)});
  return out;
}

// A line of a case statement for each flag whose values are known: after it, only these. What
// proposes them is `before` and `after` their list.
std::string values_cases(const std::vector<Node>& nodes, std::string_view before,
                         std::string_view after) {
  std::string out;
  for (const Node& node : nodes) {
    for (const Flag& flag : node.flags) {
      if (flag.values.empty()) continue;
      std::string pattern;
      for (const Word& word : flag.spellings) {
        add(pattern, {pattern.empty() ? "" : "|", quoted(node.path + ":" + word.text)});
      }
      add(out, {"    ", pattern, ") ", before, joined(flag.values), after, ";;\n"});
    }
  }
  return out;
}

std::string bash_script(const std::string& name, const std::vector<Node>& nodes) {
  std::string out;
  add(out, {"# Completions of ", name, " for bash, made by `", name, " completion bash`.\n", "_",
            name, "() {\n  local at=", name, " word words=\n",
            "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n",
            "    case \"$at $word\" in\n      ", paths_pattern(nodes),
            ") at=\"$at $word\";;\n    esac\n  done\n",
            "  case \"$at:${COMP_WORDS[COMP_CWORD-1]}\" in\n", values_cases(nodes, "words='", "'"),
            "  esac\n  [ -n \"$words\" ] || case \"$at\" in\n"});
  for (const Node& node : nodes) {
    std::vector<std::string> words;
    for (const Word& verb : node.verbs) words.push_back(verb.text);
    for (const Flag& flag : node.flags) {
      for (const Word& word : flag.spellings) words.push_back(word.text);
    }
    add(out, {"    ", quoted(node.path), ") words=", quoted(joined(words)), ";;\n"});
  }
  add(out, {"  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n",
            "complete -o default -F _", name, " ", name, "\n"});
  return out;
}

std::string zsh_script(const std::string& name, const std::vector<Node>& nodes) {
  std::string out;
  add(out, {"#compdef ", name, "\n# Completions of ", name, " for zsh, made by `", name,
            " completion zsh`.\n_", name, "() {\n  local at=", name, " word\n  local -a found\n",
            "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n", "    case \"$at $word\" in\n      ",
            paths_pattern(nodes), ") at=\"$at $word\";;\n    esac\n  done\n",
            "  case \"$at:${words[CURRENT-1]}\" in\n",
            values_cases(nodes, "compadd -- ", "; return"), "  esac\n  case \"$at\" in\n"});
  for (const Node& node : nodes) {
    add(out, {"    ", quoted(node.path), ")\n      found=("});
    for (const Word& verb : node.verbs) add(out, {" ", quoted(verb.text + ":" + verb.what)});
    for (const Flag& flag : node.flags) {
      for (const Word& word : flag.spellings) add(out, {" ", quoted(word.text + ":" + word.what)});
    }
    add(out, {");;\n"});
  }
  add(out,
      {"  esac\n  _describe '", name, "' found || _files\n}\ncompdef _", name, " ", name, "\n"});
  return out;
}

// One line a flag: all its spellings at once.
std::string fish_flag(const Flag& flag) {
  std::string out;
  for (const Word& word : flag.spellings) {
    const bool is_long = word.text.starts_with("--");
    add(out, {is_long ? " -l " : " -s ", std::string_view(word.text).substr(is_long ? 2 : 1)});
  }
  if (flag.takes_value && flag.values.empty()) add(out, {" -r"});
  if (!flag.values.empty()) add(out, {" -x -a ", quoted(joined(flag.values))});
  add(out, {" -d ", quoted(flag.spellings.front().what)});
  return out;
}

std::string fish_script(const std::string& name, const std::vector<Node>& nodes) {
  std::string out;
  add(out, {"# Completions of ", name, " for fish, made by `", name, " completion fish`.\n",
            "set -g __", name, "_paths"});
  for (const Node& node : nodes) add(out, {" ", quoted(node.path)});
  add(out, {"\nfunction __", name, "_at\n  set -l at ", name,
            "\n  for word in (commandline -opc)[2..-1]\n", "    if contains -- \"$at $word\" $__",
            name, "_paths\n      set at \"$at $word\"\n",
            "    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\n"});
  for (const Node& node : nodes) {
    std::string line;
    add(line, {"complete -c ", name, " -n ", quoted("__" + name + "_at \"" + node.path + "\"")});
    for (const Word& verb : node.verbs) {
      add(out, {line, " -f -a ", quoted(verb.text), " -d ", quoted(verb.what), "\n"});
    }
    for (const Flag& flag : node.flags) add(out, {line, fish_flag(flag), "\n"});
  }
  return out;
}

Result<int> run_completion(const CLI::App& verb) {
  const CLI::App* root = &verb;
  while (root->get_parent() != nullptr) root = root->get_parent();
  std::vector<Node> nodes;
  collect(*root, root->get_name(), nodes);
  const std::string shell = common::given(verb, "SHELL");
  print(shell == "bash"  ? bash_script(root->get_name(), nodes)
        : shell == "zsh" ? zsh_script(root->get_name(), nodes)
                         : fish_script(root->get_name(), nodes));
  return common::kOk;
}

}  // namespace
}  // namespace chain::cli

namespace chain {

void add_completion_verb(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  common::add_verb(
      muster, exit_code,
      {"completion", "Print what a shell needs to complete verbs and flags when Tab is pressed",
       "muster completion bash > ~/.local/share/bash-completion/completions/muster"},
      run_completion)
      .add_option("SHELL", "Which shell: bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember(std::set<std::string>{"bash", "fish", "zsh"}));
}

}  // namespace chain
