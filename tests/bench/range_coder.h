// A range coder with adaptive bits: what the study holds the product's codes against.
//
// Source: G. N. N. Martin 1979; the carry as in LZMA.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace bench {

// How likely the next bit is 0, learned as it goes; 16 bits.
struct AdaptiveBit {
  static constexpr uint32_t kBits = 16;
  uint32_t zero = 1u << (kBits - 1);

  void learn(uint32_t bit, uint32_t rate = 6) {
    if (bit == 0) {
      zero += ((1u << kBits) - zero) >> rate;
    } else {
      zero -= zero >> rate;
    }
  }
  // Never 0 nor 1.
  uint32_t share() const { return zero < 32 ? 32 : zero > 65504 ? 65504 : zero; }
};

class RangeEncoder {
 public:
  // An interval of [0, 2^bits).
  void put(uint32_t first, uint32_t size, uint32_t bits) {
    range_ >>= bits;
    low_ += uint64_t{first} * range_;
    range_ *= size;
    while (range_ < 1u << 24) {
      range_ <<= 8;
      shift();
    }
  }
  void put(AdaptiveBit& model, uint32_t bit) {
    const uint32_t zero = model.share();
    if (bit == 0) {
      put(0, zero, AdaptiveBit::kBits);
    } else {
      put(zero, (1u << AdaptiveBit::kBits) - zero, AdaptiveBit::kBits);
    }
    model.learn(bit);
  }
  // One of `ways` that are alike, at most 2^16.
  void put_of(uint32_t number, uint32_t ways) {
    range_ /= ways;
    low_ += uint64_t{number} * range_;
    while (range_ < 1u << 24) {
      range_ <<= 8;
      shift();
    }
  }
  std::vector<uint8_t> finish() {
    for (int i = 0; i < 5; ++i) shift();
    return std::move(out_);
  }

 private:
  void shift() {
    if (low_ < 0xFF000000 || low_ > 0xFFFFFFFF) {
      const auto carry = static_cast<uint8_t>(low_ >> 32);
      if (started_) out_.push_back(static_cast<uint8_t>(cache_ + carry));
      for (; waiting_ > 0; --waiting_) out_.push_back(static_cast<uint8_t>(0xFF + carry));
      cache_ = static_cast<uint8_t>(low_ >> 24);
      started_ = true;
    } else {
      ++waiting_;
    }
    low_ = (low_ & 0x00FFFFFF) << 8;
  }

  std::vector<uint8_t> out_;
  uint64_t low_ = 0;
  uint32_t range_ = 0xFFFFFFFF;
  uint64_t waiting_ = 0;
  uint8_t cache_ = 0;
  bool started_ = false;
};

class RangeDecoder {
 public:
  explicit RangeDecoder(const std::vector<uint8_t>& bytes) : bytes_(bytes) {
    for (int i = 0; i < 4; ++i) code_ = code_ << 8 | next();
  }
  // Where in [0, 2^bits) the next interval is; then `take` it.
  uint32_t peek(uint32_t bits) {
    range_ >>= bits;
    return code_ / range_;
  }
  void take(uint32_t first, uint32_t size) {
    code_ -= first * range_;
    range_ *= size;
    while (range_ < 1u << 24) {
      range_ <<= 8;
      code_ = code_ << 8 | next();
    }
  }
  uint32_t take_of(uint32_t ways) {
    range_ /= ways;
    const uint32_t number = code_ / range_;
    take(number, 1);
    return number;
  }
  uint32_t take(AdaptiveBit& model) {
    const uint32_t zero = model.share();
    const uint32_t bit = peek(AdaptiveBit::kBits) >= zero;
    if (bit == 0) {
      take(0, zero);
    } else {
      take(zero, (1u << AdaptiveBit::kBits) - zero);
    }
    model.learn(bit);
    return bit;
  }

 private:
  uint8_t next() { return at_ < bytes_.size() ? bytes_[at_++] : uint8_t{0}; }

  const std::vector<uint8_t>& bytes_;
  size_t at_ = 0;
  uint32_t range_ = 0xFFFFFFFF;
  uint32_t code_ = 0;
};

}  // namespace bench
