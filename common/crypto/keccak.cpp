#include "common/crypto/keccak.h"

#include <bit>
#include <cstddef>

namespace common::crypto {
namespace {

// FIPS 202, section 3.2.5: bit 2^j - 1 of constant i is rc(j + 7 i).
constexpr std::array<uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Each column takes in the parities of its neighbours.
void theta(KeccakState& lanes) {
  std::array<uint64_t, 5> parity;
  for (size_t x = 0; x < 5; ++x) {
    parity[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
  }
  for (size_t x = 0; x < 5; ++x) {
    const uint64_t mix = parity[(x + 4) % 5] ^ std::rotl(parity[(x + 1) % 5], 1);
    for (size_t y = 0; y < 5; ++y) lanes[x + 5 * y] ^= mix;
  }
}

// Lanes move along (x, y) -> (y, 2 x + 3 y), the t-th step turning its lane by the t-th triangle
// number.
void rho_and_pi(KeccakState& lanes) {
  size_t x = 1;
  size_t y = 0;
  uint64_t carried = lanes[x + 5 * y];
  for (int step = 1; step <= 24; ++step) {
    const size_t next_y = (2 * x + 3 * y) % 5;
    x = y;
    y = next_y;
    const uint64_t here = lanes[x + 5 * y];
    lanes[x + 5 * y] = std::rotl(carried, step * (step + 1) / 2 % 64);
    carried = here;
  }
}

// The only step that is not linear.
void chi(KeccakState& lanes) {
  for (size_t row = 0; row < 25; row += 5) {
    std::array<uint64_t, 5> before;
    for (size_t x = 0; x < 5; ++x) before[x] = lanes[row + x];
    for (size_t x = 0; x < 5; ++x) {
      lanes[row + x] = before[x] ^ (~before[(x + 1) % 5] & before[(x + 2) % 5]);
    }
  }
}

}  // namespace

void keccak_f1600(KeccakState& lanes) {
  for (const uint64_t constant : kRoundConstants) {
    theta(lanes);
    rho_and_pi(lanes);
    chi(lanes);
    lanes[0] ^= constant;
  }
}

}  // namespace common::crypto
