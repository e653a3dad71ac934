// --watch: a verb that shows the chain as it moves.
#pragma once

#include <functional>
#include <string>

#include "chain/cli/flags.h"
#include "chain/cli/output.h"

namespace chain::cli {

// What is shown of one block: as JSON and as text.
struct Shown {
  json value;
  std::string text;
};
using Show = std::function<Result<Shown>(const Block& block)>;

// --watch
void add_watch_flag(CLI::App& verb, const std::string& what);
bool wants_watch(const CLI::App& verb);

int show_once(const CLI::App& verb, const Shown& shown);

// Shows each new block, the newest of now first, until Ctrl-C or SIGTERM, which end it with exit
// code 0. JSON is one line a block. A terminal is redrawn if `redraw`, else what is new is added
// below. A node that is lost for a while is waited for.
enum class Redraw : bool { kNo, kYes };
Result<int> watch(const CLI::App& verb, Explorer& explorer, Redraw redraw, const Show& show);

}  // namespace chain::cli
