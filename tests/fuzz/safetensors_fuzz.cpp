// Goal: no bytes crash the reader of checkpoints, and what it accepts is a model: finite, of the
// right size, and read again from our own file of it. Method: read, check, write, read. The input
// as it is; then as a header before zeros.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void read(common::ByteView bytes, const compress::Layout& layout) {
  const auto theta = train::from_safetensors(bytes, layout);
  if (!theta) {
    CHECK(theta.error().code == common::Code::kCorrupt);
    return;
  }
  CHECK(theta->size() == layout.parameter_count());
  for (const float value : *theta) CHECK(std::isfinite(value));
  CHECK(train::from_safetensors(train::to_safetensors(*theta, layout), layout).value() == *theta);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const compress::Layout layout(
      {{.name = "a", .rows = 2, .cols = 3}, {.name = "b", .rows = 1, .cols = 2}}, 4, 1);
  const common::ByteView input(data, size);
  read(input, layout);
  common::ByteWriter out;
  out.number(uint64_t{size})
      .raw(input)
      .raw(common::Bytes(layout.parameter_count() * sizeof(float)));
  read(out.bytes(), layout);
  return 0;
}
