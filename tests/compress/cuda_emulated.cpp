#include "tests/compress/cuda_emulated.h"

#include "compress/cuda/codec_on.h"
#include "compress/sparseloco.h"

namespace compress::testing {

Emulated::Emulated(const Layout& layout, Order order)
    : Emulated(layout, order, all_pieces(*SparseLoco().format(layout))) {}

Emulated::Emulated(const Layout& layout, Order order, PieceRange range)
    : codec_(cuda::CodecOn<HostMachine>::make(HostMachine(order), layout, range).value()) {}

}  // namespace compress::testing
