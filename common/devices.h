// The machines that a node computes on, as node.json's "device" and --device name them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace common {

inline constexpr size_t kDevicesMax = 64;

// "cpu", "cpu:4" (threads), "cuda:0"; several that train together with commas between, cards in a
// row as "cuda:0-7". Each by itself, in the order given: "cuda:0-1,cuda:4" is cuda:0, cuda:1 and
// cuda:4. kInvalidArgument, "should be ...": for anything else, for a card named twice, for CPUs
// and cards mixed, for more than kDevicesMax.
Result<std::vector<std::string>> parse_devices(std::string_view text);

}  // namespace common
