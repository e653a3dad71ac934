// BLAKE2b-256 of up to eight texts of one length at once, a text in each lane of the processor's
// vectors (RFC 7693; AVX-512 has eight lanes, AVX2 four). The digests are libsodium's, bit for bit;
// eight texts take about as long as one there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/hash.h"

namespace common {

class LaneHasher {
 public:
  static constexpr size_t kLanes = 8;
  static constexpr size_t kBlockSize = 128;
  using Texts = std::array<const uint8_t*, kLanes>;

  // Pre: 1 <= count <= kLanes.
  explicit LaneHasher(size_t count);

  // `size` more bytes of each text, at `texts`; of lanes from `count` on nothing is read.
  // Pre: a multiple of kBlockSize, unless it is the last update.
  void update(const Texts& texts, size_t size);
  // Once. Pre: digests.size() == count.
  void finish(std::span<Hash> digests);

 private:
  void compress(const Texts& texts, size_t block_count, uint64_t last_size, bool last);

  size_t count_;
  uint64_t size_ = 0;  // Of each text, compressed so far.
  // Word w of lane l's chain value is state_[w * kLanes + l].
  alignas(64) std::array<uint64_t, 8 * kLanes> state_;
  // The end of each text is held back: only `finish` knows that it is the end.
  std::array<std::array<uint8_t, kBlockSize>, kLanes> held_;
  size_t held_size_ = 0;
};

}  // namespace common
