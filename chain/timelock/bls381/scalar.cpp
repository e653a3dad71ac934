#include "chain/timelock/bls381/scalar.h"

#include "chain/timelock/bls381/fp.h"

namespace chain::timelock::bls381 {
namespace {

using Words = std::array<uint64_t, 4>;  // Little-endian.

constexpr Words kOrder = {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805,
                          0x73eda753299d7d48};

// 2 a + bit mod r, for a < r: r is below 2^255, so that the double fits.
Words twice_plus(const Words& a, uint64_t bit) {
  Words doubled;
  for (size_t i = 0; i < 4; ++i) doubled[i] = (a[i] << 1) | (i == 0 ? bit : a[i - 1] >> 63);
  Words less;
  uint64_t borrow = 0;
  for (size_t i = 0; i < 4; ++i) {
    const Wide difference = static_cast<Wide>(doubled[i]) - kOrder[i] - borrow;
    less[i] = static_cast<uint64_t>(difference);
    borrow = static_cast<uint64_t>(difference >> 64) & 1;
  }
  Words out;
  const uint64_t keep = 0 - borrow;
  for (size_t i = 0; i < 4; ++i) out[i] = (doubled[i] & keep) | (less[i] & ~keep);
  return out;
}

}  // namespace

Scalar scalar_of(common::ByteView number) {
  Words rest{};
  for (const uint8_t byte : number) {
    for (int bit = 7; bit >= 0; --bit) rest = twice_plus(rest, (byte >> bit) & 1U);
  }
  Scalar out;
  for (size_t i = 0; i < out.size(); ++i) {
    out[31 - i] = static_cast<uint8_t>(rest[i / 8] >> (8 * (i % 8)));
  }
  return out;
}

}  // namespace chain::timelock::bls381
