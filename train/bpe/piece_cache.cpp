#include "train/bpe/piece_cache.h"

#include <algorithm>
#include <cstring>

namespace train::bpe {
namespace {

constexpr size_t kCountAt = 1;
constexpr size_t kTextAt = 2;
constexpr uint64_t kCountMask = 0xFF00;  // The byte at kCountAt of the first word.

}  // namespace

std::array<uint64_t, 4> PieceCache::words_of(std::string_view piece) {
  std::array<char, 32> bytes{};
  bytes[0] = static_cast<char>(piece.size());
  std::memcpy(bytes.data() + kTextAt, piece.data(), piece.size());
  std::array<uint64_t, 4> words;
  std::memcpy(words.data(), bytes.data(), sizeof words);
  return words;
}

size_t PieceCache::slot_of(const std::array<uint64_t, 4>& words) {
  constexpr uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
  uint64_t mixed = 0;
  for (const uint64_t word : words) {
    mixed = (mixed ^ word) * kOdd;
    mixed ^= mixed >> 32;
  }
  return static_cast<size_t>(mixed * kOdd >> 49);
}
static_assert(size_t{1} << (64 - 49) == size_t{1} << 15);

bool PieceCache::append(std::string_view piece, std::vector<uint32_t>& tokens) const {
  if (piece.empty() || piece.size() > kPieceSizeMax) return false;
  const auto words = words_of(piece);
  const Slot& slot = slots_[slot_of(words)];
  std::array<uint64_t, 4> kept;
  std::memcpy(kept.data(), slot.piece.data(), sizeof kept);
  kept[0] &= ~kCountMask;
  if (kept != words) return false;
  tokens.insert(tokens.end(), slot.tokens.begin(), slot.tokens.begin() + slot.piece[kCountAt]);
  return true;
}

void PieceCache::keep(std::string_view piece, std::span<const uint32_t> tokens) {
  if (piece.empty() || piece.size() > kPieceSizeMax || tokens.size() > kTokensMax) return;
  const auto words = words_of(piece);
  Slot& slot = slots_[slot_of(words)];
  std::memcpy(slot.piece.data(), words.data(), sizeof words);
  slot.piece[kCountAt] = static_cast<char>(tokens.size());
  std::copy(tokens.begin(), tokens.end(), slot.tokens.begin());
}

}  // namespace train::bpe
