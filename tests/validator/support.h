// Hparams and hand-made evidence for the tests of validator.
#pragma once

#include <vector>

#include "common/hparams.h"
#include "validator/evidence.h"
#include "validator/scoreboard.h"

namespace validator {

// tests/data/hparams.json, with the ratings as in the vectors of OpenSkill where it matters to
// them.
common::Hparams tiny_hparams();

common::AccountId account(uint8_t number);
Hash digest(uint64_t number);

// `count` sequences whose gains have exactly this mean, spread evenly by +-`spread` about it.
Losses losses(double mean, double spread, size_t count = 16);

// An accepted row that was judged: `common` is its gain on common and control sequences, `own` that
// on its own.
Evidence judged(uint16_t uid, double common, double own, double spread = 0.001);
Evidence failed(uint16_t uid, Verdict verdict);
WindowEvidence window_of(uint64_t index, std::vector<Evidence> rows);

// A plausible window: `peers` of changing gains, one of them now and then missing. By `seed`.
WindowEvidence random_window(uint64_t index, uint16_t peers, uint64_t seed);

}  // namespace validator
