#include <string>

#include "compress/codec.h"
#include "compress/sparseloco.h"

namespace compress {

common::Result<std::unique_ptr<Codec>> make_codec(const common::CodecParams& params) {
  if (params.name == "sparseloco") return std::make_unique<SparseLoco>();
  return common::Error{common::Code::kInvalidArgument,
                       "codec.name \"" + params.name + "\" is none of: sparseloco"};
}

}  // namespace compress
