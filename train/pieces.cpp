#include "train/pieces.h"

#include "train/llama/weights.h"

namespace train {

PieceLayout::PieceLayout(const common::ModelParams& params) : tied_(params.tied_embeddings) {
  const llama::Shape shape(params);
  const uint64_t table = uint64_t{params.vocabulary} * params.dim;
  uint64_t first = 0;
  const auto add = [&](uint64_t size) {
    pieces_.push_back({first, size});
    first += size;
  };
  add(table);
  for (int layer = 0; layer < shape.layers; ++layer) add(llama::layer_offsets(shape).size);
  add(params.dim + (tied_ ? 0 : table));
}

}  // namespace train
