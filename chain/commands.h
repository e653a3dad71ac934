// The verbs of the program `muster` that concern the chain. deploy/muster.cpp puts them together
// with those of other rooms; each function adds its own and knows of no other. Flags take
// Bittensor's spellings.
#pragma once

namespace CLI {
class App;
}

namespace chain {

// A verb that runs sets `exit_code`: 0 done; 1 trouble, said in a sentence on standard error; 2
// input that is wrong. `exit_code` outlives the parse.
void add_wallet_verbs(CLI::App& muster, int& exit_code);   // wallet new, list, show, sign, ...
void add_chain_verbs(CLI::App& muster, int& exit_code);    // chain metagraph, neuron, weights, ...
void add_payment_verbs(CLI::App& muster, int& exit_code);  // register, stake, transfer
void add_ledger_verb(CLI::App& muster, int& exit_code);    // ledger
void add_debug_verbs(CLI::App& muster, int& exit_code);    // debug vectors
// completion: of all the verbs that the program has, whichever room they are from
void add_completion_verb(CLI::App& muster, int& exit_code);

}  // namespace chain
