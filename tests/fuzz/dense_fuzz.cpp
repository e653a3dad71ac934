// Goal: no bytes crash the decoder, and what it accepts is the one encoding of what it decodes to.
// Method: decode, encode again, compare; the same piece by piece.
#include <cstddef>
#include <cstdint>

#include "compress/dense.h"
#include "tests/fuzz/edges.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::check_canonical(compress::Dense(), {data, size});
  fuzz::check_streamed(compress::Dense(), {data, size});
  return 0;
}
