#include "tests/compress/support.h"

#include <cmath>

#include "common/philox.h"

namespace compress::testing {

Layout layout_of(const std::vector<std::pair<uint32_t, uint32_t>>& shapes, uint32_t tile,
                 uint32_t keep) {
  std::vector<Tensor> tensors;
  for (const auto& [rows, cols] : shapes) {
    Tensor tensor;
    tensor.name = std::to_string(tensors.size());
    tensor.rows = rows;
    tensor.cols = cols;
    tensors.push_back(tensor);
  }
  return Layout(std::move(tensors), tile, keep);
}

Layout small_layout() {
  return layout_of({{17, 19}, {1, 130}, {8, 8}, {1, 1}, {3, 9}, {20, 1}}, 64, 5);
}

std::vector<float> gaussian(uint64_t count, uint64_t seed) {
  common::Philox random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

std::vector<float> of_kind(uint32_t kind, uint64_t count, uint64_t seed) {
  std::vector<float> values = gaussian(count, seed);
  common::Philox random(seed + 1);
  for (float& value : values) {
    if (kind == 1 && random.below(40) != 0) value = 0;
    if (kind == 2) value = static_cast<float>(random.below(5)) - 2.0f;
    if (kind == 3) value = std::ldexp(value, static_cast<int>(random.below(200)) - 120);
    if (kind == 4) value = random.below(2) == 0 ? 1.0f : -0.25f;
    if (kind == 5) value = random.below(2) == 0 ? 0.0f : -0.0f;
    if (kind == 6) value = 0.7f;
    if (kind == 7) value *= 1e-40f;
    if (kind == 8) value *= 1e37f;
  }
  return values;
}

std::vector<float> dense(const Update& update, const Layout& layout) {
  std::vector<float> values(layout.parameter_count(), 0.0f);
  add_to(values, update, layout, std::vector<float>(layout.tensors().size(), 1.0f));
  return values;
}

Update sparse(std::span<const float> values) {
  Update update;
  SparseTensor& tensor = update.tensors.emplace_back();
  double squares = 0;
  for (uint32_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0) continue;
    tensor.index.push_back(i);
    tensor.value.push_back(values[i]);
    squares += double{values[i]} * double{values[i]};
  }
  tensor.norm = std::sqrt(squares);
  return update;
}

common::OuterParams outer_params(std::string divide, double norm_floor) {
  return {.learning_rate = 0.5,
          .divide = std::move(divide),
          .rule = "average",
          .norm_floor = norm_floor,
          .contributors_max = 20};
}

}  // namespace compress::testing
