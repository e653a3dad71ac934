// A stream of bits that a warp reads from beginning to end: the next kilobyte of it in shared
// memory, and a quarter of that on its way, asked for when the one before was put in its place.
#pragma once

#include "compress/cuda/located.h"

namespace compress::cuda {

template <class Warp>
class BitWindow {
 public:
  static constexpr uint32_t kChunkWords = 64;
  static constexpr uint32_t kChunks = 4;
  static constexpr uint32_t kRingWords = kChunks * kChunkWords;
  // What can be read from `at` on, wherever it is in its chunk.
  static constexpr uint32_t kReachBits = (kChunks - 1) * kChunkWords * 32;

  // ring (kRingWords) in shared memory
  MUSTER_BOTH BitWindow(Warp& warp, uint32_t* ring, const Words& from, uint64_t at)
      : warp_(warp), ring_(ring), from_(from) {
    open(at);
  }

  // From now on bits are read from `at` on, up to kReachBits.  Pre: it does not go back.
  MUSTER_BOTH void reach(uint64_t at) {
    const uint64_t chunk = at / (32 * kChunkWords);
    if (chunk - first_ > kChunks) return open(at);
    while (first_ < chunk) advance();
  }

  // Moves to the next whole byte; false if what lies between is not zero.
  MUSTER_BOTH bool pad(uint64_t& at) {
    reach(at);
    const auto count = static_cast<uint32_t>(-at % 8);
    const uint32_t between = low(bits(at), count);
    at += count;
    return between == 0;
  }
  // 32 bits from `at` on.
  MUSTER_BOTH uint32_t bits(uint64_t at) const {
    const uint64_t both = uint64_t{word(at / 32 + 1)} << 32 | word(at / 32);
    return static_cast<uint32_t>(both >> at % 32);
  }

 private:
  struct Pair {
    uint32_t word[2];
  };

  MUSTER_BOTH uint32_t word(uint64_t i) const { return ring_[i % kRingWords]; }

  MUSTER_BOTH Pair pair_of(uint64_t chunk, uint32_t lane) const {
    const uint64_t at = chunk * kChunkWords + 2 * lane;
    return {{from_[at], from_[at + 1]}};
  }
  MUSTER_BOTH void store(uint64_t chunk, uint32_t lane, const Pair& pair) {
    uint32_t* const to = ring_ + (chunk % kChunks) * kChunkWords + 2 * lane;
    to[0] = pair.word[0];
    to[1] = pair.word[1];
  }

  MUSTER_BOTH void open(uint64_t at) {
    first_ = at / (32 * kChunkWords);
    warp_.wait();
    warp_.each([&](uint32_t lane) {
      for (uint32_t i = 0; i < kChunks; ++i) store(first_ + i, lane, pair_of(first_ + i, lane));
      next_[lane] = pair_of(first_ + kChunks, lane);
    });
  }

  MUSTER_BOTH void advance() {
    warp_.wait();
    warp_.each([&](uint32_t lane) {
      store(first_ + kChunks, lane, next_[lane]);
      next_[lane] = pair_of(first_ + kChunks + 1, lane);
    });
    ++first_;
  }

  Warp& warp_;
  uint32_t* ring_;
  Words from_;
  uint64_t first_ = 0;  // Chunk, of the stream's words, that the window begins with.
  typename Warp::template Local<Pair> next_;
};

}  // namespace compress::cuda
