// Bits in bytes: the first bit is the lowest of the first byte. One way to write, strict to read.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "common/bytes.h"

namespace compress {

// Appends bits to `out`; call `pad` at the end.
class BitWriter {
 public:
  static constexpr uint32_t kPutMax = 56;

  explicit BitWriter(common::Bytes& out) : out_(out) {}

  // The low `count` bits of `bits`; those above are zero.  Pre: count <= kPutMax.
  void put(uint64_t bits, uint32_t count) {
    pending_ |= bits << filled_;
    for (filled_ += count; filled_ >= 8; filled_ -= 8) {
      out_.push_back(static_cast<uint8_t>(pending_));
      pending_ >>= 8;
    }
  }
  // `count` zeros, then a one.
  void put_unary(uint32_t count) {
    for (; count >= kPutMax; count -= kPutMax) put(0, kPutMax);
    put(uint64_t{1} << count, count + 1);
  }
  // Zeros up to the next whole byte.
  void pad() { put(0, (8 - filled_) % 8); }

 private:
  common::Bytes& out_;
  uint64_t pending_ = 0;
  uint32_t filled_ = 0;  // Bits in pending_; below 8 between calls.
};

// Reads forward. A read past the end fails, yields zeros, and stays failed (as common::ByteReader).
class BitReader {
 public:
  explicit BitReader(common::ByteView bytes) : bytes_(bytes) {}

  // The next `count` bits.  Pre: count <= BitWriter::kPutMax.
  uint64_t take(uint32_t count) {
    const uint64_t bits = peek() & ((uint64_t{1} << count) - 1);
    skip(count);
    return ok_ ? bits : 0;
  }
  // How many zeros stand before the next one, which is read too; more than `max` fails.
  uint32_t take_unary(uint32_t max) {
    uint32_t zeros = 0;
    while (ok_) {
      const uint64_t bits = peek();
      const auto run = static_cast<uint32_t>(std::countr_zero(bits));
      if (bits != 0 && run < kPeek) {
        skip(run + 1);
        zeros += run;
        break;
      }
      skip(kPeek);
      zeros += kPeek;
      if (zeros > max) ok_ = false;
    }
    if (zeros > max) ok_ = false;
    return ok_ ? zeros : 0;
  }

  bool ok() const { return ok_; }
  // Nothing is left but the zeros that `pad` writes.
  bool at_end() const {
    const uint64_t left = uint64_t{8} * bytes_.size() - position_;
    return ok_ && left < 8 && peek() == 0;
  }

 private:
  static constexpr uint32_t kPeek =
      57;  // Bits that eight bytes surely hold from any bit of the first.

  // At least the next kPeek bits; zeros behind the end.
  uint64_t peek() const {
    const size_t first = position_ / 8;
    uint64_t bits = 0;
    if (first + sizeof bits <= bytes_.size()) {
      std::memcpy(&bits, bytes_.data() + first, sizeof bits);
    } else {
      for (size_t i = first; i < bytes_.size(); ++i)
        bits |= uint64_t{bytes_[i]} << (8 * (i - first));
    }
    return bits >> (position_ % 8);
  }
  void skip(uint32_t count) {
    position_ += count;
    if (position_ > uint64_t{8} * bytes_.size()) ok_ = false;
  }

  common::ByteView bytes_;
  uint64_t position_ = 0;  // In bits.
  bool ok_ = true;
};

}  // namespace compress
