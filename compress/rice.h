// Rice codes for small numbers: number >> r in unary, then its low r bits.
//
// The parameter r is not a choice: it is the one that takes the fewest bits, the lowest of several.
// From r to r + 1 each number pays one bit more and saves ceil((number >> r) / 2). The saving falls
// as r grows, so the cost is convex, and the first r whose step saves no more than it costs is the
// answer. Source: Rice & Plaunt 1971.
#pragma once

#include <cstdint>
#include <span>

#include "compress/bit_stream.h"

namespace compress {

// Whether a parameter is the one, told number by number.
class RiceCheck {
 public:
  explicit RiceCheck(uint32_t parameter) : parameter_(parameter) {}

  void add(uint32_t number) {
    ++count_;
    saving_ += ((number >> parameter_) + 1) / 2;
    saving_before_ += ((number << 1 >> parameter_) + 1) / 2;
  }
  // No larger parameter is better.
  bool is_enough() const { return saving_ <= count_; }
  bool is_best() const { return is_enough() && (parameter_ == 0 || saving_before_ > count_); }

 private:
  uint32_t parameter_;
  uint64_t count_ = 0;
  uint64_t saving_ = 0;         // Of one more bit,
  uint64_t saving_before_ = 0;  //   and of the last one, if there is one.
};

// At most 15, for the numbers have 16 bits.
inline uint32_t rice_parameter(std::span<const uint16_t> numbers) {
  for (uint32_t parameter = 0;; ++parameter) {
    RiceCheck check(parameter);
    for (const uint16_t number : numbers) check.add(number);
    if (check.is_enough()) return parameter;
  }
}

inline void put_rice(BitWriter& out, uint32_t number, uint32_t parameter) {
  out.put_unary(number >> parameter);
  out.put(number & ((1u << parameter) - 1), parameter);
}
// Some number above `most` if it is, or if the stream ends.
inline uint32_t take_rice(BitCursor& in, uint32_t parameter, uint32_t most) {
  uint32_t quotient = 0;
  uint64_t word = in.word();
  while (word == 0) {
    quotient += 64;
    in.at += 64;
    if (quotient > most || !in.ok()) return most + 1;
    word = in.word();
  }
  const auto zeros = static_cast<uint32_t>(std::countr_zero(word));
  in.at += zeros + 1;
  quotient += zeros;
  if (quotient > most >> parameter) return most + 1;
  return quotient << parameter | static_cast<uint32_t>(in.take(parameter));
}

// Differences as numbers: 0, -1, 1, -2, ...
constexpr uint16_t zigzag(int32_t difference) {
  return static_cast<uint16_t>(difference < 0 ? -2 * difference - 1 : 2 * difference);
}
constexpr int32_t unzigzag(uint32_t number) {
  const auto half = static_cast<int32_t>(number / 2);
  return number % 2 == 0 ? half : -half - 1;
}

}  // namespace compress
