#include "common/lane_hasher.h"

#include <cstring>

#include "common/check.h"

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/lane_hasher.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#ifndef MUSTER_LANE_HASHER_ONCE
#define MUSTER_LANE_HASHER_ONCE
namespace common::lanes {

// Where a lane's words come from: `blocks` blocks of each text.
struct Work {
  const uint8_t* const* texts;
  size_t count;
  size_t block_count;
  uint64_t size_before;  // Of what was compressed before these blocks.
  uint64_t last_size;    // Of the last of them: less than a block only at the end of a text.
  bool last;             // The text ends with them.
};

inline constexpr uint64_t kInitial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                         0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                         0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

// Which words of the block a round mixes; rounds 10 and 11 are as 0 and 1.
inline constexpr uint8_t kSigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                           {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                           {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                           {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                           {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                           {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                           {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                           {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                           {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                           {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

}  // namespace common::lanes
#endif

HWY_BEFORE_NAMESPACE();
namespace common::lanes::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::CappedTag<uint64_t, LaneHasher::kLanes>;
using Vector = hn::Vec<Words>;

// A constant, so that arrays of vectors can be unrolled.
#if HWY_TARGET == HWY_SCALAR
constexpr size_t kWidth = 1;
#elif HWY_TARGET <= HWY_AVX3
constexpr size_t kWidth = 8;
#elif HWY_TARGET <= HWY_AVX2
constexpr size_t kWidth = 4;
#else
constexpr size_t kWidth = 2;
#endif

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET <= HWY_AVX3
template <int kBits>
HWY_INLINE Vector rotate_right(Vector v) {
  return hn::RotateRight<kBits>(v);
}
#else
// Whole bytes are moved, one bit is doubled: cheaper than two shifts.
template <int kBits>
HWY_INLINE Vector rotate_right(Vector v) {
  const Words d;
  if constexpr (kBits == 63) {
    return hn::Or(hn::Add(v, v), hn::ShiftRight<63>(v));
  } else if constexpr (kBits == 32) {
    const hn::Repartition<uint32_t, Words> halves;
    return hn::BitCast(d, hn::Shuffle2301(hn::BitCast(halves, v)));
  } else {
    constexpr uint8_t k = kBits / 8;
    alignas(16) static constexpr uint8_t kFrom[16] = {
        (0 + k) % 8,     (1 + k) % 8,     (2 + k) % 8,     (3 + k) % 8,
        (4 + k) % 8,     (5 + k) % 8,     (6 + k) % 8,     (7 + k) % 8,
        8 + (0 + k) % 8, 8 + (1 + k) % 8, 8 + (2 + k) % 8, 8 + (3 + k) % 8,
        8 + (4 + k) % 8, 8 + (5 + k) % 8, 8 + (6 + k) % 8, 8 + (7 + k) % 8};
    const hn::Repartition<uint8_t, Words> bytes;
    return hn::BitCast(d,
                       hn::TableLookupBytes(hn::BitCast(bytes, v), hn::LoadDup128(bytes, kFrom)));
  }
}
#endif

// kWidth words of each of kWidth lanes become kWidth vectors, one for each word.
HWY_INLINE void transpose([[maybe_unused]] Vector* row) {
  [[maybe_unused]] const Words d;
#if HWY_TARGET != HWY_SCALAR
  Vector pair[kWidth];
  for (size_t i = 0; i < kWidth; i += 2) {
    pair[i] = hn::InterleaveLower(d, row[i], row[i + 1]);
    pair[i + 1] = hn::InterleaveUpper(d, row[i], row[i + 1]);
  }
  if constexpr (kWidth == 2) {
    row[0] = pair[0];
    row[1] = pair[1];
  } else if constexpr (kWidth == 4) {
    for (size_t i = 0; i < 2; ++i) {
      row[i] = hn::ConcatLowerLower(d, pair[i + 2], pair[i]);
      row[i + 2] = hn::ConcatUpperUpper(d, pair[i + 2], pair[i]);
    }
  }
#if HWY_TARGET <= HWY_AVX3
  // Blocks of two words: 2 x 2 of them within halves, then the halves.
  Vector four[kWidth];
  for (size_t i = 0; i < kWidth; i += 4) {
    for (size_t j = i; j < i + 2; ++j) {
      four[j] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(pair[j + 2]), pair[j]);
      four[j + 2] = hn::OddEvenBlocks(pair[j + 2], hn::SwapAdjacentBlocks(pair[j]));
    }
  }
  for (size_t i = 0; i < 4; ++i) {
    row[i] = hn::ConcatLowerLower(d, four[i + 4], four[i]);
    row[i + 4] = hn::ConcatUpperUpper(d, four[i + 4], four[i]);
  }
#endif
#endif
}

HWY_INLINE void mix(Vector& a, Vector& b, Vector& c, Vector& e, Vector x, Vector y) {
  a = hn::Add(hn::Add(a, b), x);
  e = rotate_right<32>(hn::Xor(e, a));
  c = hn::Add(c, e);
  b = rotate_right<24>(hn::Xor(b, c));
  a = hn::Add(hn::Add(a, b), y);
  e = rotate_right<16>(hn::Xor(e, a));
  c = hn::Add(c, e);
  b = rotate_right<63>(hn::Xor(b, c));
}

HWY_INLINE void round_of(Vector* v, const Vector* m, const uint8_t* s) {
  mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

// One block of kWidth texts from lane `first` on.
HWY_INLINE void compress_block(Vector* h, const uint8_t* const* texts, size_t at, uint64_t size,
                               bool last) {
  const Words d;
  Vector m[16];
  for (size_t word = 0; word < 16; word += kWidth) {
    for (size_t lane = 0; lane < kWidth; ++lane) {
      const uint8_t* const from = texts[lane] + at + word * sizeof(uint64_t);
      m[word + lane] = hn::LoadU(d, reinterpret_cast<const uint64_t*>(from));
    }
    transpose(m + word);
  }
  Vector v[16];
  for (size_t i = 0; i < 8; ++i) {
    v[i] = h[i];
    v[i + 8] = hn::Set(d, kInitial[i]);
  }
  v[12] = hn::Xor(v[12], hn::Set(d, size));
  if (last) v[14] = hn::Xor(v[14], hn::Set(d, ~uint64_t{0}));
  // No further unrolled: the words come from the cache either way, and sanitizers take minutes to
  // compile twelve rounds.
  for (size_t round = 0; round < 12; ++round) round_of(v, m, kSigma[round % 10]);
  for (size_t i = 0; i < 8; ++i) h[i] = hn::Xor(h[i], hn::Xor(v[i], v[i + 8]));
}

void compress_here(const Work& work, uint64_t* state) {
  const Words d;
  for (size_t first = 0; first < work.count; first += kWidth) {
    const uint8_t* texts[kWidth];
    // Lanes without a text do the work of another; nobody asks what came of it.
    for (size_t i = 0; i < kWidth; ++i) {
      texts[i] = work.texts[first + i < work.count ? first + i : first];
    }
    Vector h[8];
    for (size_t i = 0; i < 8; ++i) h[i] = hn::Load(d, state + i * LaneHasher::kLanes + first);
    uint64_t size = work.size_before;
    for (size_t block = 0; block < work.block_count; ++block) {
      const bool end = block + 1 == work.block_count;
      size += end ? work.last_size : LaneHasher::kBlockSize;
      compress_block(h, texts, block * LaneHasher::kBlockSize, size, end && work.last);
    }
    for (size_t i = 0; i < 8; ++i) hn::Store(h[i], d, state + i * LaneHasher::kLanes + first);
  }
}

}  // namespace
}  // namespace common::lanes::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace common {
namespace lanes {
HWY_EXPORT(compress_here);
}  // namespace lanes

LaneHasher::LaneHasher(size_t count) : count_(count) {
  CHECK(count >= 1 && count <= kLanes);
  for (size_t word = 0; word < 8; ++word) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      state_[word * kLanes + lane] = lanes::kInitial[word];
    }
  }
  // The parameter block: 32 bytes of digest, no key, one leaf, one level.
  for (size_t lane = 0; lane < kLanes; ++lane) state_[lane] ^= 0x01010020;
}

void LaneHasher::compress(const Texts& texts, size_t block_count, uint64_t last_size, bool last) {
  if (block_count == 0) return;
  const lanes::Work work{.texts = texts.data(),
                         .count = count_,
                         .block_count = block_count,
                         .size_before = size_,
                         .last_size = last_size,
                         .last = last};
  HWY_DYNAMIC_DISPATCH(lanes::compress_here)(work, state_.data());
  size_ += (block_count - 1) * kBlockSize + last_size;
}

void LaneHasher::update(const Texts& texts, size_t size) {
  if (size == 0) return;
  CHECK_MSG(held_size_ % kBlockSize == 0, "something follows the end of a text");
  Texts held;
  for (size_t lane = 0; lane < kLanes; ++lane) held[lane] = held_[lane].data();
  compress(held, held_size_ / kBlockSize, kBlockSize, false);
  const size_t now = (size - 1) / kBlockSize;
  compress(texts, now, kBlockSize, false);
  held_size_ = size - now * kBlockSize;
  for (size_t lane = 0; lane < count_; ++lane) {
    held_[lane].fill(0);
    std::memcpy(held_[lane].data(), texts[lane] + now * kBlockSize, held_size_);
  }
}

void LaneHasher::finish(std::span<Hash> digests) {
  CHECK(digests.size() == count_);
  Texts held;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    if (held_size_ == 0) held_[lane].fill(0);
    held[lane] = held_[lane].data();
  }
  compress(held, 1, held_size_, true);
  for (size_t lane = 0; lane < count_; ++lane) {
    for (size_t word = 0; word < 4; ++word) {
      std::memcpy(digests[lane].bytes.data() + word * sizeof(uint64_t),
                  &state_[word * kLanes + lane], sizeof(uint64_t));
    }
  }
}

}  // namespace common
#endif
