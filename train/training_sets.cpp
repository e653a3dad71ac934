#include "train/training_sets.h"

#include <utility>

#include "common/check.h"
#include "train/learning_rate.h"

namespace train {

TrainingSets::TrainingSets(const common::InnerParams& params, Dataset main,
                           std::optional<Dataset> anneal)
    : params_(params), main_(std::move(main)), anneal_(std::move(anneal)) {
  CHECK(params.anneal_window == 0 || anneal_.has_value());
}

const Dataset& TrainingSets::of(common::Window window) const {
  return anneals(params_, window) ? *anneal_ : main_;
}

}  // namespace train
