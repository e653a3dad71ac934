// muster wallet sign, verify.
#pragma once

namespace CLI {
class App;
}

namespace chain::cli {

void add_signing_verbs(CLI::App& wallet, int& exit_code);

}  // namespace chain::cli
