#include "train/bpe/merges.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "common/check.h"

namespace train::bpe {
namespace {

constexpr size_t kProbesMax = 1024;  // At half full, real merges need some tens.
constexpr size_t kShortMax = 48;     // Up to here looking at every pair beats a heap.

}  // namespace

Merges::Merges(size_t count)
    : slots_(std::bit_ceil(std::max<size_t>(2, 2 * count))),
      shift_(64 - std::countr_zero(slots_.size())) {}

common::Result<void> Merges::add(uint32_t left, uint32_t right, uint32_t rank, uint32_t merged) {
  CHECK(rank < kNever);
  const uint64_t pair = uint64_t{left} << 32 | right;
  size_t at = slot_of(pair);
  for (size_t probe = 0; probe < kProbesMax; ++probe) {
    if (slots_[at].pair == kEmpty || slots_[at].pair == pair) {
      slots_[at] = {pair, rank, merged};
      return {};
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  return common::Error{common::Code::kInvalidArgument, "model.merges: they were chosen to be slow"};
}

uint32_t Merges::find(uint32_t left, uint32_t right, uint32_t& merged) const {
  const uint64_t pair = uint64_t{left} << 32 | right;
  for (size_t at = slot_of(pair);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.pair == pair) {
      merged = slot.merged;
      return slot.rank;
    }
    if (slot.pair == kEmpty) return kNever;
  }
}

void Merges::apply(std::vector<uint32_t>& tokens, MergeScratch& scratch) const {
  if (tokens.size() < 2) return;
  if (tokens.size() <= kShortMax) {
    apply_short(tokens, scratch);
  } else {
    apply_long(tokens, scratch);
  }
}

void Merges::apply_short(std::vector<uint32_t>& tokens, MergeScratch& scratch) const {
  auto& ranks = scratch.ranks;  // Of the pair that begins at each token but the last.
  auto& merged = scratch.merged;
  ranks.assign(tokens.size() - 1, kNever);
  merged.resize(tokens.size() - 1);
  const auto look = [&](size_t i) { ranks[i] = find(tokens[i], tokens[i + 1], merged[i]); };
  for (size_t i = 0; i < ranks.size(); ++i) look(i);
  while (!ranks.empty()) {
    const auto best = std::min_element(ranks.begin(), ranks.end());
    if (*best == kNever) return;
    const auto at = best - ranks.begin();
    const auto i = static_cast<size_t>(at);
    tokens[i] = merged[i];
    tokens.erase(tokens.begin() + at + 1);
    // Its own pair is gone; the next one's, if there is one, now begins here.
    ranks.erase(best);
    merged.erase(merged.begin() + at);
    if (i < ranks.size()) look(i);
    if (i > 0) look(i - 1);
  }
}

void Merges::apply_long(std::vector<uint32_t>& tokens, MergeScratch& scratch) const {
  auto& links = scratch.links;
  auto& heap = scratch.heap;  // rank << 32 | where; what has changed since is told by the link.
  const auto count = static_cast<uint32_t>(tokens.size());
  links.resize(count);
  heap.clear();
  const auto look = [&](uint32_t at) {
    MergeScratch::Link& link = links[at];
    link.rank = link.next == count ? kNever : find(tokens[at], tokens[link.next], link.merged);
    return link.rank != kNever;
  };
  const auto entry = [&](uint32_t at) { return uint64_t{links[at].rank} << 32 | at; };
  const auto push = [&](uint32_t at) {
    if (!look(at)) return;
    heap.push_back(entry(at));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (uint32_t at = 0; at < count; ++at) {
    links[at].previous = at == 0 ? count : at - 1;
    links[at].next = at + 1;
    if (look(at)) heap.push_back(entry(at));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint64_t top = heap.back();
    heap.pop_back();
    const auto at = static_cast<uint32_t>(top);
    if (links[at].rank != top >> 32) continue;  // Merged meanwhile, or to be merged otherwise.
    const uint32_t gone = links[at].next;
    tokens[at] = links[at].merged;
    links[at].next = links[gone].next;
    links[gone].rank = kNever;
    if (links[at].next != count) links[links[at].next].previous = at;
    push(at);
    if (links[at].previous != count) push(links[at].previous);
  }
  uint32_t kept = 0;
  for (uint32_t at = 0; at < count; at = links[at].next) tokens[kept++] = tokens[at];
  tokens.resize(kept);
}

}  // namespace train::bpe
