// What all programs' verbs share: how one is declared, how it ends, and how a program is run.
#pragma once

#include <string>

#include "common/result.h"

namespace CLI {
class App;
}

namespace common {

// The program's exit codes.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

// Runs once all flags are read; asks `verb` for them by name. Yields the exit code. An Error ends
// with kWrongUsage if it is the user's input that is wrong (Code::kInvalidArgument), else with
// kFailed.
using Body = Result<int> (*)(const CLI::App& verb);

struct VerbText {
  const char* name;
  const char* what;     // One line.
  const char* example;  // A command that works; shown under --help.
};

// Sets `exit_code` when it has run.
CLI::App& add_verb(CLI::App& parent, int& exit_code, const VerbText& text, Body body);
// A noun with verbs of its own: `muster wallet`.
CLI::App& add_noun(CLI::App& parent, const char* name, const char* what);

// A flag without a value. `names` are its spellings, with commas.
void add_switch(CLI::App& verb, const std::string& names, const std::string& what);

// What was given, or empty. `flag` is any of the option's spellings.
std::string given(const CLI::App& verb, const char* flag);
bool is_given(const CLI::App& verb, const char* flag);

// Parses the command line and runs the verb that it names. Yields the program's exit code: what a
// verb left in `exit_code`, or kWrongUsage, with a sentence, for a line that is none. Lets no
// exception out.
int run_program(CLI::App& app, int& exit_code, int argc, char** argv);

}  // namespace common
