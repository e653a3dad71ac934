// Substrate's secret URI: [phrase | 0x seed] {"/" soft | "//" hard} ["///" password].
//
// Source: sp-core, `SecretUri` and `DeriveJunction`.
#pragma once

#include <string_view>
#include <vector>

#include "common/crypto/sr25519.h"
#include "common/result.h"

namespace common::crypto {

struct Junction {
  bool hard;
  ChainCode chain_code;
};

// Views into the text that was parsed.
struct SecretUri {
  std::string_view phrase;  // Or 0x and hex; empty if there is none.
  std::vector<Junction> junctions;
  std::string_view password;
};

// kInvalidArgument for an empty junction, for more than 4096 bytes, and for a number on which
// Substrate's tools disagree (over u64, or with a plus sign).
Result<SecretUri> parse_secret_uri(std::string_view uri);

}  // namespace common::crypto
