// Byte-pair encoding proper: the table of merges, and how a word is merged by it.
// Source: Sennrich et al. 2016, arXiv:1508.07909.
#pragma once

#include <cstdint>
#include <vector>

#include "common/result.h"

namespace train::bpe {

// Working memory of merging; one thread at a time.
struct MergeScratch {
  struct Link {
    uint32_t previous;
    uint32_t next;
    uint32_t rank;    // Of the pair that begins here, and
    uint32_t merged;  //   the token that it becomes.
  };
  std::vector<uint32_t> ranks;
  std::vector<uint32_t> merged;
  std::vector<Link> links;
  std::vector<uint64_t> heap;
};

class Merges {
 public:
  // Room for `count` merges.
  explicit Merges(size_t count);

  // `left` and `right` side by side may become `merged`; lower ranks go first. Of a pair that comes
  // twice the last counts. kInvalidArgument if pairs collide so often that they were chosen to.
  common::Result<void> add(uint32_t left, uint32_t right, uint32_t rank, uint32_t merged);

  // Merges neighbours in `tokens` until none can be: always those of the lowest rank, and the
  // leftmost of equals. Time: n log n.
  void apply(std::vector<uint32_t>& tokens, MergeScratch& scratch) const;

 private:
  struct Slot {
    uint64_t pair = kEmpty;
    uint32_t rank = 0;
    uint32_t merged = 0;
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static constexpr uint32_t kNever = ~uint32_t{0};
  std::vector<Slot> slots_;
  int shift_;

  size_t slot_of(uint64_t pair) const {
    return static_cast<size_t>(pair * 0x9E37'79B9'7F4A'7C15 >> shift_);
  }
  // The rank of a pair, kNever if it is no merge; sets `merged`.
  uint32_t find(uint32_t left, uint32_t right, uint32_t& merged) const;
  void apply_short(std::vector<uint32_t>& tokens, MergeScratch& scratch) const;
  void apply_long(std::vector<uint32_t>& tokens, MergeScratch& scratch) const;
};

}  // namespace train::bpe
