// What a manifest counts, all of it: one command of the replicated state machine (train/replica.h).
#pragma once

#include <memory>
#include <vector>

#include "compress/outer_step.h"
#include "train/stored_contribution.h"

namespace train {

struct Counted {
  std::vector<compress::StoredContributor> contributors;  // By ascending uid.
  // Outlives this, and so do the contributions that are not `fetched`.
  const compress::BodyFormat* format = nullptr;
  uint32_t threads = 1;  // To work on; the bits are the same for any number.
  std::vector<std::unique_ptr<const StoredContribution>> fetched = {};
};

}  // namespace train
