// Goal: no bytes crash the decoder, and what it accepts is the one encoding of what it decodes to.
// Method: decode, encode again, compare.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/check.h"
#include "compress/dense.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tensor = [](uint32_t rows, uint32_t cols) {
    return compress::Tensor{.name = {}, .rows = rows, .cols = cols, .offset = 0};
  };
  static const compress::Layout layout({tensor(17, 19), tensor(1, 130), tensor(8, 8), tensor(1, 1)},
                                       64, 5);
  const compress::Dense codec;
  const compress::ByteView body(data, size);
  const auto update = codec.decode(body, layout);
  if (!update) return 0;

  std::vector<float> values(layout.parameter_count(), 0.0f);
  compress::add_to(values, *update, layout, std::vector<float>(layout.tensors().size(), 1.0f));
  CHECK(codec.encode(values, layout) == compress::Bytes(body.begin(), body.end()));
  return 0;
}
