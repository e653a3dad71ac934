#include "chain/substrate/scale.h"

namespace chain::substrate {
namespace {

// The two low bits of a compact's first byte.
constexpr uint8_t kOneByte = 0;
constexpr uint8_t kTwoBytes = 1;
constexpr uint8_t kFourBytes = 2;
constexpr uint8_t kManyBytes = 3;

constexpr Uint128 kTwoBytesFrom = 1 << 6;
constexpr Uint128 kFourBytesFrom = 1 << 14;
constexpr Uint128 kManyBytesFrom = 1 << 30;

}  // namespace

Encoder& Encoder::number128(Uint128 value) {
  return number(static_cast<uint64_t>(value)).number(static_cast<uint64_t>(value >> 64));
}

Encoder& Encoder::compact(Uint128 value) {
  if (value < kTwoBytesFrom) return number(static_cast<uint8_t>(value << 2 | kOneByte));
  if (value < kFourBytesFrom) return number(static_cast<uint16_t>(value << 2 | kTwoBytes));
  if (value < kManyBytesFrom) return number(static_cast<uint32_t>(value << 2 | kFourBytes));
  Bytes digits;
  for (Uint128 rest = value; rest != 0; rest >>= 8) digits.push_back(static_cast<uint8_t>(rest));
  number(static_cast<uint8_t>((digits.size() - 4) << 2 | kManyBytes));
  return raw(digits);
}

Encoder& Encoder::raw(ByteView bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Encoder& Encoder::bytes(ByteView bytes) { return compact(bytes.size()).raw(bytes); }

Uint128 Decoder::number128() {
  const auto low = number<uint64_t>();
  const auto high = number<uint64_t>();
  return static_cast<Uint128>(high) << 64 | low;
}

Uint128 Decoder::compact128() {
  if (rest_.empty()) fail();
  if (!ok_) return 0;
  Uint128 value = 0;
  Uint128 least = 0;  // Below it, a shorter form exists.
  switch (rest_[0] & 3) {
    case kOneByte:
      value = number<uint8_t>() >> 2;
      break;
    case kTwoBytes:
      value = number<uint16_t>() >> 2;
      least = kTwoBytesFrom;
      break;
    case kFourBytes:
      value = number<uint32_t>() >> 2;
      least = kFourBytesFrom;
      break;
    default: {
      const size_t size = static_cast<size_t>(number<uint8_t>() >> 2) + 4;
      if (size > sizeof(Uint128)) fail();  // No number of ours is longer.
      const ByteView digits = raw(size);
      for (size_t i = digits.size(); i-- > 0;) value = value << 8 | digits[i];
      least = kManyBytesFrom;
      if (!digits.empty() && digits.back() == 0) fail();
    }
  }
  if (value < least) fail();
  return ok_ ? value : 0;
}

ByteView Decoder::raw(size_t size) {
  if (!ok_ || size > rest_.size()) {
    fail();
    return {};
  }
  const ByteView out = rest_.first(size);
  rest_ = rest_.subspan(size);
  return out;
}

AccountId Decoder::account() { return {array<32>()}; }

Hash Decoder::hash() { return {array<32>()}; }

ByteView Decoder::bytes(size_t size_max) {
  const size_t size = count(size_max, 1);
  return raw(size);
}

size_t Decoder::count(size_t count_max, size_t item_size_min) {
  const auto size = compact<uint32_t>();
  const bool fits = item_size_min == 0 || size <= rest_.size() / item_size_min;
  if (size > count_max || !fits) fail();
  return ok_ ? size : 0;
}

}  // namespace chain::substrate
