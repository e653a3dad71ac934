// The optimisers of a whole model: one, or those of ranges that several machines keep.
#pragma once

#include <string_view>
#include <vector>

#include "train/optimiser.h"

namespace train {

// In the order of their ranges, which follow each other without gaps; of one model, kind and number
// of steps. A moment of the whole is the parts' one after the other. They outlive it.
class OptimiserParts {
 public:
  OptimiserParts(Optimiser& whole) : OptimiserParts(std::vector{&whole}) {}  // NOLINT: it is one.
  // Pre: parts is not empty, and as above.
  explicit OptimiserParts(std::vector<Optimiser*> parts);

  ParameterRange range() const;
  std::string_view kind() const { return parts_.front()->kind(); }
  const common::Hash& layout_hash() const { return parts_.front()->layout_hash(); }
  uint64_t steps() const { return parts_.front()->state().steps; }
  size_t moments() const { return parts_.front()->state().moments.size(); }
  void reset() const;

  auto begin() const { return parts_.begin(); }
  auto end() const { return parts_.end(); }

 private:
  std::vector<Optimiser*> parts_;
};

}  // namespace train
