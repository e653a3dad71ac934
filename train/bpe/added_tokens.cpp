#include "train/bpe/added_tokens.h"

#include "common/check.h"

namespace train::bpe {
namespace {

// ASCII white space: what real files' tokens take along. (Hugging Face takes all of Unicode's.)
bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

uint32_t AddedTokens::find_child(uint32_t first, uint8_t byte) const {
  while (first != kNone && nodes_[first].byte != byte) first = nodes_[first].next;
  return first;
}

void AddedTokens::add(std::string_view content, uint32_t token, bool left, bool right) {
  CHECK(!content.empty());
  uint32_t at = kNone;
  for (const char c : content) {
    const auto byte = static_cast<uint8_t>(c);
    const uint32_t first = at == kNone ? root_[byte] : nodes_[at].first_child;
    uint32_t child = find_child(first, byte);
    if (child == kNone) {
      child = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({.next = first, .byte = byte});
      (at == kNone ? root_[byte] : nodes_[at].first_child) = child;
    }
    at = child;
  }
  Node& node = nodes_[at];
  if (node.token != kNone) return;
  node.token = token;
  node.left = left;
  node.right = right;
}

std::optional<AddedTokens::Found> AddedTokens::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    uint32_t at = root_[static_cast<uint8_t>(text[begin])];
    if (at == kNone) continue;
    uint32_t best = kNone;
    size_t best_end = begin;
    for (size_t end = begin + 1; at != kNone; ++end) {
      if (nodes_[at].token != kNone) {
        best = at;
        best_end = end;
      }
      if (end == text.size()) break;
      at = find_child(nodes_[at].first_child, static_cast<uint8_t>(text[end]));
    }
    if (best == kNone) continue;
    Found found = {begin, best_end, nodes_[best].token};
    while (nodes_[best].left && found.begin > from && blank(text[found.begin - 1])) --found.begin;
    while (nodes_[best].right && found.end < text.size() && blank(text[found.end])) ++found.end;
    return found;
  }
  return std::nullopt;
}

}  // namespace train::bpe
