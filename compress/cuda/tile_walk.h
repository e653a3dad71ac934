// The shapes of a piece's tiles, one after the other, without the divisions that Plan::place takes.
#pragma once

#include "compress/cuda/plan.h"

namespace compress::cuda {

class TileWalk {
 public:
  // `tile` of the range.
  MUSTER_BOTH TileWalk(const Plan& plan, uint32_t tile) : plan_(plan) {
    const PlacedTile placed = plan.place(tile);
    tensor_ = placed.tensor;
    const auto index =
        static_cast<uint32_t>(plan.first_tile + tile - plan.tensors[tensor_].first_tile);
    band_ = index / plan.tensors[tensor_].across;
    column_ = index % plan.tensors[tensor_].across;
    shape_ = *placed.shape;
  }

  MUSTER_BOTH const TileShape& shape() const { return shape_; }

  // Moves on; whether that is to another tensor.  Pre: one is left.
  MUSTER_BOTH bool next() {
    const TensorPlan* tensor = &plan_.tensors[tensor_];
    bool new_tensor = false;
    if (++column_ == tensor->across) {
      column_ = 0;
      ++band_;
    }
    if (band_ == tensor->bands) {
      band_ = 0;
      tensor = &plan_.tensors[++tensor_];
      new_tensor = true;
    }
    // All between the first of a band and the last are alike.
    if (column_ < 2 || column_ + 1 == tensor->across) {
      shape_ = tensor->shape[(column_ + 1 == tensor->across ? 1 : 0) +
                             (band_ + 1 == tensor->bands ? 2 : 0)];
    }
    return new_tensor;
  }

 private:
  const Plan& plan_;
  uint32_t tensor_ = 0;
  uint32_t band_ = 0;
  uint32_t column_ = 0;
  TileShape shape_;
};

}  // namespace compress::cuda
