#include "common/tree_hash.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "common/check.h"
#include "common/lane_hasher.h"

namespace common {
namespace {

constexpr size_t kLanes = LaneHasher::kLanes;

// Of up to kLanes leaves that lie one behind the other; the last may be shorter.
void hash_group(ByteView bytes, size_t leaf_size, std::span<Hash> leaves) {
  const size_t whole = bytes.size() / leaf_size;
  if (whole > 0) {
    LaneHasher lanes(whole);
    LaneHasher::Texts texts{};
    for (size_t i = 0; i < whole; ++i) texts[i] = bytes.data() + i * leaf_size;
    lanes.update(texts, leaf_size);
    lanes.finish(leaves.first(whole));
  }
  if (whole < leaves.size()) leaves[whole] = blake2b_256(bytes.subspan(whole * leaf_size));
}

}  // namespace

std::vector<Hash> tree_leaves(ByteView bytes, size_t leaf_size) {
  CHECK(leaf_size > 0);
  std::vector<Hash> leaves(tree_leaf_count(bytes.size(), leaf_size));
  for (size_t first = 0; first < leaves.size(); first += kLanes) {
    const size_t count = std::min(kLanes, leaves.size() - first);
    const ByteView rest = bytes.subspan(first * leaf_size);
    hash_group(rest.first(std::min(rest.size(), count * leaf_size)), leaf_size,
               std::span(leaves).subspan(first, count));
  }
  return leaves;
}

Hash tree_hash(ByteView bytes, size_t leaf_size) {
  return merkle_root(tree_leaves(bytes, leaf_size));
}

Result<std::vector<Hash>> tree_leaves(const ByteSource& source, uint32_t threads,
                                      size_t leaf_size) {
  CHECK(leaf_size > 0);
  std::vector<Hash> leaves(tree_leaf_count(source.size(), leaf_size));
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> trouble;
  const auto work = [&] {
    Bytes group(static_cast<size_t>(std::min<uint64_t>(source.size(), kLanes * leaf_size)));
    for (;;) {
      const size_t first = kLanes * next++;
      if (first >= leaves.size()) return;
      const size_t count = std::min(kLanes, leaves.size() - first);
      const uint64_t offset = uint64_t{first} * leaf_size;
      const auto size = std::min<uint64_t>(count * leaf_size, source.size() - offset);
      const auto bytes = std::span(group).first(static_cast<size_t>(size));
      if (auto read = source.read(offset, bytes); !read) {
        const std::lock_guard lock(mutex);
        trouble = read.error();
        next = leaves.size();  // Nobody begins another.
        return;
      }
      hash_group(bytes, leaf_size, std::span(leaves).subspan(first, count));
    }
  };
  std::vector<std::jthread> others;
  const size_t groups = (leaves.size() + kLanes - 1) / kLanes;
  for (size_t i = 1; i < std::min<size_t>(threads, groups); ++i) others.emplace_back(work);
  work();
  others.clear();
  if (trouble) return *trouble;
  return leaves;
}

Result<Hash> tree_hash_of_first(uint64_t size, std::span<const Hash> leaves,
                                const ByteSource& source, size_t leaf_size) {
  CHECK(size <= source.size() && leaves.size() == tree_leaf_count(source.size(), leaf_size));
  const auto whole = static_cast<size_t>(size / leaf_size);
  std::vector<Hash> first(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(whole));
  Bytes rest(static_cast<size_t>(size - uint64_t{whole} * leaf_size));
  if (!rest.empty()) {
    TRY_VOID(source.read(uint64_t{whole} * leaf_size, rest));
    first.push_back(blake2b_256(rest));
  }
  return merkle_root(first);
}

TreeHasher& TreeHasher::update(ByteView bytes) {
  const size_t group = kLanes * leaf_size_;
  size_ += bytes.size();
  while (!bytes.empty()) {
    // Whole groups need not be copied.
    ByteView next = bytes.first(std::min(bytes.size(), group - held_.size()));
    bytes = bytes.subspan(next.size());
    if (!held_.empty() || next.size() < group) {
      held_.insert(held_.end(), next.begin(), next.end());
      next = held_;
    }
    if (next.size() < group) break;
    const size_t before = leaves_.size();
    leaves_.resize(before + kLanes);
    hash_group(next, leaf_size_, std::span(leaves_).subspan(before));
    held_.clear();
  }
  return *this;
}

Hash TreeHasher::root() const {
  std::vector<Hash> leaves = leaves_;
  const std::vector<Hash> last = tree_leaves(held_, leaf_size_);
  leaves.insert(leaves.end(), last.begin(), last.end());
  return merkle_root(leaves);
}

}  // namespace common
