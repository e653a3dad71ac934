#include "train/optimiser_parts.h"

#include <utility>

#include "common/check.h"

namespace train {

OptimiserParts::OptimiserParts(std::vector<Optimiser*> parts) : parts_(std::move(parts)) {
  CHECK(!parts_.empty());
  uint64_t next = parts_.front()->range().first;
  for (const Optimiser* part : parts_) {
    CHECK(part->range().first == next && part->layout_hash() == layout_hash());
    CHECK(part->kind() == kind() && part->state().steps == steps());
    CHECK(part->state().moments.size() == moments());
    next = part->range().end();
  }
}

ParameterRange OptimiserParts::range() const {
  const uint64_t first = parts_.front()->range().first;
  return {first, parts_.back()->range().end() - first};
}

void OptimiserParts::reset() const {
  for (Optimiser* part : parts_) part->reset();
}

}  // namespace train
