// Numbers below 4,096, two in three bytes: [a & 255, a >> 8 | (b & 15) << 4, b >> 4].
//
// Source: github.com/tplr-ai/templar, the index format of its gradients. An odd count, which that
// has not, ends in two bytes, the upper four bits zero.
#pragma once

#include <cstdint>
#include <span>

#include "common/bytes.h"

namespace compress {

constexpr uint64_t packed12_size(uint64_t count) { return count + (count + 1) / 2; }

// Appends packed12_size(numbers.size()) bytes.
void pack12(std::span<const uint16_t> numbers, common::Bytes& out);

// The inverse, of exactly packed12_size(numbers.size()) bytes (CHECK). False if the padding of an
// odd count is not zero.
bool unpack12(common::ByteView bytes, std::span<uint16_t> numbers);

}  // namespace compress
