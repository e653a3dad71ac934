#include "chain/timelock/bls381/codec.h"

#include <algorithm>

namespace chain::timelock::bls381 {
namespace {

constexpr uint8_t kCompressed = 0x80;
constexpr uint8_t kInfinity = 0x40;
constexpr uint8_t kHigher = 0x20;
constexpr uint8_t kFlags = kCompressed | kInfinity | kHigher;

constexpr Fp kFour = Fp::one().twice().twice();

std::optional<Fp> read(common::ByteView bytes, const Fp&) { return Fp::from_bytes(bytes); }
std::optional<Fp2> read(common::ByteView bytes, const Fp2&) {
  const auto c1 = Fp::from_bytes(bytes.first(kFpSize));
  const auto c0 = Fp::from_bytes(bytes.subspan(kFpSize));
  if (!c0 || !c1) return std::nullopt;
  return Fp2{*c0, *c1};
}

template <typename F, size_t size>
Checked<Affine<F>> from_bytes(common::ByteView bytes, const F& b) {
  if (bytes.size() != size) return tl::unexpected(Fault::kLength);
  std::array<uint8_t, size> number;
  std::copy(bytes.begin(), bytes.end(), number.begin());
  const uint8_t flags = number[0] & kFlags;
  number[0] = static_cast<uint8_t>(number[0] & ~kFlags);
  if ((flags & kCompressed) == 0) return tl::unexpected(Fault::kFlags);
  if ((flags & kInfinity) != 0) {
    const bool bare = (flags & kHigher) == 0 &&
                      std::all_of(number.begin(), number.end(), [](uint8_t x) { return x == 0; });
    return tl::unexpected(bare ? Fault::kZero : Fault::kFlags);
  }
  const auto x = read(number, b);
  if (!x) return tl::unexpected(Fault::kNotCanonical);
  const auto y = (x->square() * *x + b).root();
  if (!y) return tl::unexpected(Fault::kNotOnCurve);
  const Affine<F> point = {*x, y->is_high() == ((flags & kHigher) != 0) ? *y : -*y};
  if (!is_in_subgroup(point)) return tl::unexpected(Fault::kNotInSubgroup);
  return point;
}

template <size_t size>
void set_flags(std::array<uint8_t, size>& bytes, bool high) {
  bytes[0] = static_cast<uint8_t>(bytes[0] | kCompressed | (high ? kHigher : 0));
}

}  // namespace

Checked<G1Affine> g1_from_bytes(common::ByteView bytes) {
  return from_bytes<Fp, kG1Size>(bytes, kFour);
}

Checked<G2Affine> g2_from_bytes(common::ByteView bytes) {
  return from_bytes<Fp2, kG2Size>(bytes, Fp2{kFour, kFour});
}

std::array<uint8_t, kG1Size> bytes_of(const G1Affine& point) {
  auto out = point.x.bytes();
  set_flags(out, point.y.is_high());
  return out;
}

std::array<uint8_t, kG2Size> bytes_of(const G2Affine& point) {
  std::array<uint8_t, kG2Size> out;
  const auto c1 = point.x.c1.bytes();
  const auto c0 = point.x.c0.bytes();
  std::copy(c0.begin(), c0.end(), std::copy(c1.begin(), c1.end(), out.begin()));
  set_flags(out, point.y.is_high());
  return out;
}

}  // namespace chain::timelock::bls381
