#include "common/philox.h"

#include <cstring>
#include <unordered_map>

#include "common/check.h"

namespace common {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;  // The golden ratio,
    key[1] += 0xBB67AE85;  // and sqrt(3) - 1.
  }
  return counter;
}

// A seed of 256 bits sets the key (64) and the high half of the counter (64): streams of different
// seeds do not meet within 2^64 draws but by chance of 2^-128.
Philox::Philox(const Hash& seed) {
  std::memcpy(key_.data(), seed.bytes.data(), 8);
  std::memcpy(&counter_[2], seed.bytes.data() + 8, 8);
}

Philox::Philox(uint64_t seed)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {}

uint32_t Philox::next32() {
  if (used_ == 4) {
    words_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return words_[static_cast<size_t>(used_++)];
}

uint64_t Philox::next64() {
  const uint64_t low = next32();
  return low | uint64_t{next32()} << 32;
}

uint64_t Philox::below(uint64_t bound) {
  CHECK(bound > 0);
  const uint64_t rejected = (~uint64_t{0} - bound + 1) % bound;  // 2^64 mod bound
  uint64_t value = next64();
  while (value < rejected) value = next64();
  return value % bound;
}

double Philox::unit() { return static_cast<double>(next64() >> 11) * 0x1p-53; }

double Philox::normal() {
  double sum = -6.0;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(next32()) * 0x1p-32;
  return sum;
}

std::vector<uint64_t> sample_without_replacement(Philox& random, uint64_t population,
                                                 uint64_t count) {
  CHECK(count <= population);
  std::unordered_map<uint64_t, uint64_t>
      moved;  // The places of the array 0..population-1 that changed.
  const auto at = [&moved](uint64_t i) {
    const auto found = moved.find(i);
    return found == moved.end() ? i : found->second;
  };
  std::vector<uint64_t> drawn;
  drawn.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t j = i + random.below(population - i);
    drawn.push_back(at(j));
    moved[j] = at(i);
  }
  return drawn;
}

}  // namespace common
