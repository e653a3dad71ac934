// Real runtimes' descriptions of themselves, as tests/chain/data/ keeps them.
#pragma once

#include <zlib.h>

#include <string>

#include "chain/substrate/metadata.h"
#include "common/check.h"
#include "common/files.h"

namespace chain::substrate {

// The bytes of data/metadata-<name>.scale.gz: "293-v14", "293-v15", "424-v16".
inline Bytes golden_metadata_bytes(const std::string& name) {
  const auto path =
      std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/metadata-" + name + ".scale.gz";
  Bytes packed = common::read_file(path, 1 << 20).value();
  Bytes out(2 << 20);
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  CHECK(inflateInit2(&stream, kGzip) == Z_OK);
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

// Read once.
inline const Metadata& golden_424() {
  static const Metadata metadata = decode_metadata(golden_metadata_bytes("424-v16")).value();
  return metadata;
}
inline const Metadata& golden_293() {
  static const Metadata metadata = decode_metadata(golden_metadata_bytes("293-v15")).value();
  return metadata;
}

}  // namespace chain::substrate
