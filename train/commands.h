// The verbs of the program `muster` that concern data sets and models; chain/commands.h has the
// convention.
#pragma once

namespace CLI {
class App;
}

namespace train {

// `data tokenize` and `data inspect`. A verb that runs sets `exit_code`: 0 done; 1 trouble, said in
// a sentence on standard error; 2 input that is wrong. `exit_code` outlives the parse.
void add_data_verbs(CLI::App& muster, int& exit_code);

// `model import`, `export`, `inspect`, `generate` and `eval`: the same.
void add_model_verbs(CLI::App& muster, int& exit_code);

}  // namespace train
