// The public score report of a window: w/<window>/scores in the validator's bucket.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/keys.h"
#include "validator/score_store.h"

namespace validator {

// Evidence, standings, weights and chain hashes. All numbers read back the same; infinite ones,
// which JSON lacks, are the texts "inf" and "-inf".
nlohmann::json record_json(const Record& record);

// The same, signed by the hotkey over the record's hash ("signature", "signer").
std::string score_report(const Record& record, const common::Keypair& hotkey);

}  // namespace validator
