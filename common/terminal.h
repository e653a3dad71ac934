// The person at the terminal: questions, secrets without echo, consent. Secrets come from here,
// from a file or from the environment; never from the command line, which every process on the
// machine can read.
#pragma once

#include <filesystem>
#include <string>

#include "common/result.h"
#include "common/wallet.h"

namespace common {

bool stdin_is_terminal();

// One line from standard input: asked for without echo on a terminal, just read otherwise.
// kInvalidArgument if there is none.
Result<std::string> read_secret_line(const std::string& question);

// The password of an existing file: BT_PW_<PATH>, then `password_file` (its first line), then the
// terminal. kPermission, with these three named, if there is none.
AskPassword ask_password(const std::filesystem::path& password_file);
// The password of a new file: the same places; on the terminal it is asked for twice. At least six
// characters.
Result<std::string> new_password(const std::filesystem::path& file,
                                 const std::filesystem::path& password_file);

// Shows `deal` and asks; `consent` (--yes) answers beforehand. kCancelled if the answer is no;
// kInvalidArgument if nobody is there to ask.
Result<void> confirm(const std::string& deal, bool consent);

}  // namespace common
