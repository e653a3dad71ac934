// Bits in bytes: the first bit is the lowest of the first byte. Numbers are little endian, as the
// machines are. Room is made, and ends are checked, by the caller.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/bytes.h"

namespace compress {

// Writes bits into room that its owner has made; call `pad` at the end.
class BitWriter {
 public:
  static constexpr uint32_t kPutMax = 56;
  static constexpr size_t kSlack = 8;  // So many bytes behind the last bit are written to.

  explicit BitWriter(uint8_t* room) : first_(room), at_(room) {}

  // The low `count` bits of `bits`; those above are zero.  Pre: count <= kPutMax.
  void put(uint64_t bits, uint32_t count) {
    pending_ |= bits << filled_;
    std::memcpy(at_, &pending_, sizeof pending_);
    filled_ += count;
    at_ += filled_ / 8;
    pending_ >>= filled_ & ~7u;
    filled_ %= 8;
  }
  // The low `count` bits of `bits`; those above are zero.  Pre: count <= 64.
  void put_word(uint64_t bits, uint32_t count) {
    if (count <= kPutMax) return put(bits, count);
    put(bits & 0xFFFFFFFF, 32);
    put(bits >> 32, count - 32);
  }
  // `count` zeros, then a one.
  void put_unary(uint32_t count) {
    for (; count >= kPutMax; count -= kPutMax) put(0, kPutMax);
    put(uint64_t{1} << count, count + 1);
  }
  // Zeros up to the next whole byte.
  void pad() { put(0, (8 - filled_) % 8); }

  // What is written, in whole bytes.  Pre: pad was called.
  common::ByteView bytes() const { return {first_, static_cast<size_t>(at_ - first_)}; }

 private:
  uint8_t* first_;
  uint8_t* at_;
  uint64_t pending_ = 0;
  uint32_t filled_ = 0;  // Bits in pending_; below 8 between calls.
};

// Where to read on. Nothing is checked here: the reader holds what it took against the end, and
// kSlack bytes behind that can be read.
struct BitCursor {
  static constexpr size_t kSlack = 128;

  const uint8_t* bytes = nullptr;
  uint64_t at = 0;   // Bits.
  uint64_t end = 0;  // As `at`: the first bit that is another's.

  // The next 64 bits from `ahead` bits on.
  uint64_t word(uint64_t ahead = 0) const {
    const uint64_t bit = at + ahead;
    uint64_t low;
    std::memcpy(&low, bytes + bit / 8, sizeof low);
    const uint64_t high = bytes[bit / 8 + sizeof low];
    return low >> bit % 8 | high << 1 << (63 - bit % 8);
  }
  // The next `count` bits.  Pre: count <= 56.
  uint64_t take(uint32_t count) {
    uint64_t bits;
    std::memcpy(&bits, bytes + at / 8, sizeof bits);
    bits >>= at % 8;
    at += count;
    return bits & ((uint64_t{1} << count) - 1);
  }
  bool ok() const { return at <= end; }
  // Moves to the next whole byte; false if what lies between is not zero.
  bool pad() { return take(static_cast<uint32_t>(-at % 8)) == 0; }
};

}  // namespace compress
