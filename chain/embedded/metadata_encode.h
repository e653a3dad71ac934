// Metadata in the bytes that clients ask for.
#pragma once

#include "chain/substrate/metadata.h"

namespace chain::embedded {

// "meta", the version and all that this version has room for. Pre: version is 14 or 15.
common::Bytes encode_metadata(const substrate::Metadata& metadata, uint8_t version);

}  // namespace chain::embedded
