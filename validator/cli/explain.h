// One peer's score in one window, step by step, in words and numbers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/hparams.h"
#include "validator/score_store.h"

namespace validator::cli {

// `before`: the board of the record before, or an empty one. kNotFound for a peer that is not on
// the board.
common::Result<std::string> explain(const Record& record, const Scoreboard& before, Uid uid,
                                    const common::Hparams& hparams);

}  // namespace validator::cli
