// Goal: no bytes crash the decoder, and what it accepts is finite, sorted and of this model.
// Method: decode, and look at all of it; the same piece by piece.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "common/check.h"
#include "compress/templar.h"
#include "tests/fuzz/edges.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const compress::Layout& layout = fuzz::edges();
  const compress::Templar codec;
  const compress::ByteView body(data, size);
  fuzz::check_streamed(codec, body);
  const auto update = codec.decode(body, layout);
  if (!update) return 0;

  CHECK(size <= codec.body_size_max(layout) && !update->is_zero());
  for (size_t t = 0; t < update->tensors.size(); ++t) {
    const compress::SparseTensor& of = update->tensors[t];
    CHECK(of.index.size() == of.value.size() && std::isfinite(of.norm));
    CHECK(std::is_sorted(of.index.begin(), of.index.end(), std::less_equal<>()));
    CHECK(of.index.empty() || of.index.back() < layout.tensors()[t].size());
    for (const float value : of.value) CHECK(std::isfinite(value));
  }
  return 0;
}
