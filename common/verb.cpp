#include "common/verb.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace common {
namespace {

const CLI::App& root_of(const CLI::App& verb) {
  const CLI::App* at = &verb;
  while (at->get_parent() != nullptr) at = at->get_parent();
  return *at;
}

// The verb or noun that the command line was understood to name.
const CLI::App& named(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "muster wallet new"
std::string path_of(const CLI::App& verb) {
  const CLI::App* const parent = verb.get_parent();
  return (parent == nullptr ? "" : path_of(*parent) + " ") + verb.get_name();
}

// A word that stands where a verb should, and the verbs there are; nothing if none does. The
// library only says that a verb is missing.
std::string unknown_verb(const CLI::App& noun) {
  const auto verbs = noun.get_subcommands([](const CLI::App*) { return true; });
  const std::vector<std::string> rest = noun.remaining();
  if (verbs.empty() || rest.empty() || rest.front().starts_with('-')) return "";
  std::string out = "there is no verb '" + rest.front() + "'; there is ";
  for (size_t i = 0; i < verbs.size(); ++i) out += (i == 0 ? "" : ", ") + verbs[i]->get_name();
  return out;
}

}  // namespace

CLI::App& add_verb(CLI::App& parent, int& exit_code, const VerbText& text, Body body) {
  CLI::App* verb = parent.add_subcommand(text.name, text.what);
  verb->footer("Example:\n  " + std::string(text.example));
  verb->callback([verb, body, &exit_code] {
    const Result<int> end = body(*verb);
    if (end) {
      exit_code = *end;
      return;
    }
    std::cerr << root_of(*verb).get_name() << ": " << end.error().message << std::endl;
    exit_code = end.error().code == Code::kInvalidArgument ? kWrongUsage : kFailed;
  });
  return *verb;
}

CLI::App& add_noun(CLI::App& parent, const char* name, const char* what) {
  CLI::App* noun = parent.add_subcommand(name, what);
  noun->require_subcommand(1);
  return *noun;
}

void add_switch(CLI::App& verb, const std::string& names, const std::string& what) {
  verb.add_flag(names, what);
}

std::string given(const CLI::App& verb, const char* flag) {
  return verb.get_option(flag)->as<std::string>();
}

bool is_given(const CLI::App& verb, const char* flag) { return verb.count(flag) > 0; }

int run_program(CLI::App& app, int& exit_code, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& wrong) {
    if (wrong.get_exit_code() == 0) return app.exit(wrong);  // --help, --version
    const std::string unknown = unknown_verb(named(app));
    std::cerr << app.get_name() << ": " << (unknown.empty() ? wrong.what() : unknown) << "\nRun `"
              << path_of(named(app)) << " --help` to see what it takes." << std::endl;
    return kWrongUsage;
  } catch (const std::exception& trouble) {
    std::cerr << app.get_name() << ": " << trouble.what() << std::endl;
    return kFailed;
  }
}

}  // namespace common
