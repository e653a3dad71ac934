// The protocol's clock. Blocks are the chain's; a window is a fixed number of them; a uid is a
// slot.
#pragma once

#include <compare>
#include <cstdint>

namespace common {

struct BlockNumber {
  uint64_t index = 0;
  auto operator<=>(const BlockNumber&) const = default;
};

// A slot of the subnet. The hotkey that holds it may change; evidence therefore names both.
struct Uid {
  uint16_t index = 0;
  auto operator<=>(const Uid&) const = default;
};

// One round of the protocol: everybody trains, seals, reveals, and moves by one aggregate.
struct Window {
  uint64_t index = 0;
  auto operator<=>(const Window&) const = default;

  // The window that holds `block`.  Pre: blocks_per_window > 0.
  static constexpr Window of(BlockNumber block, uint64_t blocks_per_window) {
    return {block.index / blocks_per_window};
  }

  // The first block of this window; the first block after it is next().first_block(...).
  constexpr BlockNumber first_block(uint64_t blocks_per_window) const {
    return {index * blocks_per_window};
  }

  // Block `offset` of this window, counted from 0. All deadlines of the protocol are such offsets.
  constexpr BlockNumber block_at(uint64_t offset, uint64_t blocks_per_window) const {
    return {index * blocks_per_window + offset};
  }

  constexpr Window next() const { return {index + 1}; }
};
static_assert(Window::of({229}, 115) == Window{1});  // The last block of window 1,
static_assert(Window::of({230}, 115) == Window{2});  // and the first of window 2.
static_assert(Window{2}.first_block(115) == BlockNumber{230});

}  // namespace common
