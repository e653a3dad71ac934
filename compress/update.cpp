#include "compress/update.h"

#include <algorithm>

#include "common/check.h"

namespace compress {

uint64_t Update::value_count() const {
  uint64_t count = 0;
  for (const SparseTensor& tensor : tensors) count += tensor.value.size();
  return count;
}

bool Update::is_zero() const {
  return std::all_of(tensors.begin(), tensors.end(), [](const SparseTensor& tensor) {
    return std::all_of(tensor.value.begin(), tensor.value.end(),
                       [](float value) { return value == 0.0f; });
  });
}

void add_to(std::span<float> dense, const Update& update, const Layout& layout,
            std::span<const float> factors) {
  CHECK(dense.size() == layout.parameter_count());
  CHECK(update.tensors.size() == layout.tensors().size() &&
        factors.size() == update.tensors.size());
  for (size_t t = 0; t < factors.size(); ++t) {
    const SparseTensor& sent = update.tensors[t];
    float* const tensor = dense.data() + layout.tensors()[t].offset;
    for (size_t i = 0; i < sent.index.size(); ++i) {
      tensor[sent.index[i]] += factors[t] * sent.value[i];
    }
  }
}

}  // namespace compress
