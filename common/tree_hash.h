// The tree hash: a name for bytes too many for one pass. They are cut in leaves of one size, the
// last perhaps shorter; the name is the Merkle root (common/hash.h) over the leaves' BLAKE2b-256.
//
// So any number of threads can work at it, eight leaves at a time in the vectors of one (several
// times the speed of one BLAKE2b over all), and a range can be checked without the rest. The digest
// of a contribution, the root of a sealed one and the root of theta are such.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/byte_source.h"
#include "common/bytes.h"
#include "common/hash.h"
#include "common/result.h"

namespace common {

inline constexpr size_t kTreeLeaf = 1 << 20;

// How many leaves `size` bytes have. None has none.
constexpr uint64_t tree_leaf_count(uint64_t size, size_t leaf_size = kTreeLeaf) {
  return size / leaf_size + (size % leaf_size != 0 ? 1 : 0);
}

// The leaves of all of `bytes`, in their order.
std::vector<Hash> tree_leaves(ByteView bytes, size_t leaf_size = kTreeLeaf);

Hash tree_hash(ByteView bytes, size_t leaf_size = kTreeLeaf);

// All of a source, on `threads` threads; each holds 8 leaves of it in memory.
Result<std::vector<Hash>> tree_leaves(const ByteSource& source, uint32_t threads,
                                      size_t leaf_size = kTreeLeaf);

// The root of the first `size` bytes, of which the leaves (of these bytes and of what follows) are
// known already; only the leaf that is cut is read again. Pre: size <= source.size(), and `leaves`
// are the source's.
Result<Hash> tree_hash_of_first(uint64_t size, std::span<const Hash> leaves,
                                const ByteSource& source, size_t leaf_size = kTreeLeaf);

// The same of what comes in pieces of any size. Holds up to 8 leaves of it, so that they can be
// hashed at once.
class TreeHasher {
 public:
  explicit TreeHasher(size_t leaf_size = kTreeLeaf) : leaf_size_(leaf_size) {}

  TreeHasher& update(ByteView bytes);
  // Of everything so far. More may follow, and then this was a name for its beginning.
  Hash root() const;
  uint64_t size() const { return size_; }

 private:
  size_t leaf_size_;
  uint64_t size_ = 0;
  std::vector<Hash> leaves_;
  Bytes held_;  // What is in no leaf of `leaves_`.
};

}  // namespace common
