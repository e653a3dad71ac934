#include <string>

#include "compress/codec.h"
#include "compress/demo.h"
#include "compress/dense.h"
#include "compress/sparseloco.h"
#include "compress/templar.h"

namespace compress {

common::Result<std::unique_ptr<Codec>> make_codec(const common::CodecParams& params,
                                                  uint32_t threads) {
  if (params.name == "sparseloco") return std::make_unique<SparseLoco>(threads);
  if (params.name == "templar") return std::make_unique<Templar>(threads);
  if (params.name == "demo") return std::make_unique<Demo>(Demo::Values::kBf16, threads);
  if (params.name == "distro") return std::make_unique<Demo>(Demo::Values::kSign, threads);
  if (params.name == "dense") return std::make_unique<Dense>(threads);
  return common::Error{
      common::Code::kInvalidArgument,
      "codec.name \"" + params.name + "\" is none of: sparseloco, templar, demo, distro, dense"};
}

}  // namespace compress
