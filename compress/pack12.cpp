#include "compress/pack12.h"

#include "common/check.h"

namespace compress {

void pack12(std::span<const uint16_t> numbers, common::Bytes& out) {
  for (size_t i = 0; i < numbers.size(); i += 2) {
    const bool pair = i + 1 < numbers.size();
    const uint32_t a = numbers[i];
    const uint32_t b = pair ? numbers[i + 1] : 0;
    CHECK(a < 4096 && b < 4096);
    out.push_back(static_cast<uint8_t>(a));
    out.push_back(static_cast<uint8_t>(a >> 8 | (b & 15) << 4));
    if (pair) out.push_back(static_cast<uint8_t>(b >> 4));
  }
}

bool unpack12(common::ByteView bytes, std::span<uint16_t> numbers) {
  CHECK(bytes.size() == packed12_size(numbers.size()));
  const size_t pairs = numbers.size() / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const uint8_t* const three = bytes.data() + 3 * i;
    numbers[2 * i] = static_cast<uint16_t>(three[0] | (three[1] & 15) << 8);
    numbers[2 * i + 1] = static_cast<uint16_t>(three[1] >> 4 | three[2] << 4);
  }
  if (numbers.size() % 2 == 0) return true;
  const uint8_t* const two = bytes.data() + 3 * pairs;
  numbers.back() = static_cast<uint16_t>(two[0] | (two[1] & 15) << 8);
  return two[1] >> 4 == 0;
}

}  // namespace compress
