// Goal: no bytes crash the decoder, and what it accepts is the one encoding of what it decodes to.
// Method: decode, encode again, compare; by coefficients, for those the bytes hold; the same
// piece by piece. The first byte
// says which of the two codecs it is.
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "compress/demo.h"
#include "tests/fuzz/edges.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const compress::Layout& layout = fuzz::edges();
  if (size == 0) return 0;
  const compress::Demo codec(data[0] % 2 == 0 ? compress::Demo::Values::kBf16
                                              : compress::Demo::Values::kSign);
  const compress::ByteView body(data + 1, size - 1);
  fuzz::check_streamed(codec, body);
  const auto parameters = codec.decode(body, layout);
  const auto update = codec.decode_coefficients(body, layout);
  CHECK(update || !parameters);
  if (!update) return 0;

  CHECK(codec.encode_coefficients(fuzz::dense_values(*update), layout) ==
        compress::Bytes(body.begin(), body.end()));
  return 0;
}
