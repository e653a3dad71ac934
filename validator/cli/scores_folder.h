// Where the verbs find scores, and what they read from the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/result.h"
#include "common/verb.h"
#include "validator/score_store.h"

namespace validator::cli {

using common::Code;
using common::Error;
using common::Result;

// --config, or --scores with --hparams; --json.
void add_scores_flags(CLI::App& verb);

struct OpenedScores {
  common::Hparams hparams;
  ScoreStore store;
};
// kInvalidArgument unless exactly one of the two ways is given.
Result<OpenedScores> open_scores(const CLI::App& verb);

// A number that was given; nothing if it was not. kInvalidArgument, with its name, for what is
// none.
Result<std::optional<uint64_t>> number_given(const CLI::App& verb, const char* name);

// The record of the window that was given as WINDOW, or of the last; kNotFound says which there
// are.
Result<Record> record_given(const CLI::App& verb, const ScoreStore& store);

}  // namespace validator::cli
