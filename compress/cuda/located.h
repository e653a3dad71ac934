// A body on the card whose tiles were found: what kernels read of it.
#pragma once

#include "compress/cuda/both.h"
#include "compress/cuda/plan.h"

namespace compress::cuda {

// What is behind the last is zero to whoever reads there.
struct Words {
  const uint32_t* word = nullptr;
  uint64_t count = 0;

  MUSTER_BOTH uint32_t operator[](uint64_t i) const { return i < count ? word[i] : 0; }
};

// What a tile's head says, and where its bits begin in the body. 16 bytes.
struct LocatedTile {
  uint64_t values_at_and_count = 0;  // 48 bits and 16.
  uint32_t levels_back = 0;          // So many bits before the values.
  uint16_t high_code = 0;
  uint16_t ratio = 0;

  MUSTER_BOTH uint32_t count() const { return static_cast<uint32_t>(values_at_and_count >> 48); }
  MUSTER_BOTH uint64_t values_at() const { return values_at_and_count & kPlace; }
  MUSTER_BOTH uint64_t levels_at() const { return values_at() - levels_back; }
  MUSTER_BOTH void set(uint32_t count, uint64_t values_at) {
    values_at_and_count = uint64_t{count} << 48 | values_at;
  }

 private:
  static constexpr uint64_t kPlace = (uint64_t{1} << 48) - 1;
};

// What is wrong with a piece: what GroupReader::open refuses, or what it refuses later.
enum PieceTrouble : uint32_t { kNoTrouble = 0, kBadHeads = 1, kBadValues = 2 };

// What a piece holds of a tensor.
struct RunTotal {
  uint64_t count = 0;
  double squares = 0;
};

// What the reader is given.
struct ReadArgs {
  Plan plan;
  Words body;
  const uint64_t* first_byte = nullptr;  // (pieces + 1) of each, in the body, and the end
  LocatedTile* tiles = nullptr;          // (tiles) out
  RunTotal* runs = nullptr;              // (runs) out
  uint32_t* trouble = nullptr;           // (pieces) out: PieceTrouble
};

}  // namespace compress::cuda
