// muster-miner plan: what a model takes of the machines that train it, before anything is bought,
// rented or started.
#pragma once

namespace CLI {
class App;
}

namespace miner {

// Exit codes: 0 it fits, 1 it does not, 2 wrong usage or input.
void add_plan_verb(CLI::App& miner, int& exit_code);

}  // namespace miner
