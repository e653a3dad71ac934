// The card's codec on the emulated card.
#pragma once

#include <memory>

#include "compress/cuda_codec.h"
#include "tests/compress/cuda_emulation.h"

namespace compress::testing {

// Of some pieces of sparseloco's format, all unless said.
class Emulated {
 public:
  Emulated(const Layout& layout, Order order);
  Emulated(const Layout& layout, Order order, PieceRange range);

  CudaCodec& codec() const { return *codec_; }

 private:
  std::unique_ptr<CudaCodec> codec_;
};

// The same, thread by thread (tests/compress/cuda_fibers.h): slower.
std::unique_ptr<CudaCodec> codec_on_fibers(const Layout& layout, Order order, PieceRange range);

}  // namespace compress::testing
