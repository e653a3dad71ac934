#include "chain/vectors.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "chain/vectors/reading.h"

namespace chain {

common::Result<Replay> replay_vectors(VectorKind kind, std::string_view json) {
  using common::Code;
  using common::Error;
  if (json.size() > kVectorFileSizeMax) {
    return Error{Code::kInvalidArgument, "over 64 MiB: too long for a file of vectors"};
  }
  try {
    const auto file = nlohmann::json::parse(json);
    switch (kind) {
      case VectorKind::kEpoch:
        return vectors::replay_epochs(file);
      case VectorKind::kKeys:
        return vectors::replay_keys(file);
      case VectorKind::kExtrinsics:
        return vectors::replay_extrinsics(file);
    }
  } catch (const std::exception& trouble) {
    return Error{Code::kInvalidArgument,
                 std::string("not a file of this format: ") + trouble.what()};
  }
  CHECK(false);
}

}  // namespace chain
