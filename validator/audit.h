// Scores recomputed: everything but the evidence follows from the evidence, bit for bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "validator/score_store.h"

namespace validator {

// What recomputing everything found.
struct Audit {
  uint64_t windows = 0;  // Recomputed.
  uint64_t peers = 0;    // Rows of evidence in them.
  bool ok = true;
  std::vector<std::string> differences;  // Sentences, at most kDifferencesMax; ok counts them all.
};

inline constexpr size_t kDifferencesMax = 100;

// Recomputes every board, weight and hash, and follows the chain. Goes on after a difference, from
// what is stored. An Error only if the database as a whole cannot be read.
//
// What it proves: the scores follow from the evidence. That the evidence is what was seen is proved
// by whoever evaluates again; that it was not rewritten as a whole, by the signed hashes in the
// score reports.
common::Result<Audit> audit(const ScoreStore& store, const common::Hparams& hparams);

}  // namespace validator
