// The lead's duty: which contributions count, and the verdict on each that does not.
#pragma once

#include <span>

#include "common/hparams.h"
#include "train/exchange.h"
#include "train/manifest.h"
#include "validator/scoreboard.h"

namespace validator {

// From what was opened after the reveal. At most contributors_max accepted contributions get weight
// 1, the best scores first, equal scores the lower uid; the others get weight 0. Peers whose bucket
// did not answer have no entry: nobody is guilty of our trouble. `base` fills everything but the
// entries.
train::Manifest make_manifest(train::Manifest base, std::span<const train::Gathered> opened,
                              const Scoreboard& board, const common::Hparams& hparams);

}  // namespace validator
