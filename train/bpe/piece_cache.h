// What pieces of text became: most of a text is a few thousand words.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace train::bpe {

// 2 MiB; a piece drives out the one whose place it takes. One thread at a time.
class PieceCache {
 public:
  static constexpr size_t kPieceSizeMax = 30;
  static constexpr size_t kTokensMax = 8;

  PieceCache() : slots_(kSlots) {}

  // Appends the tokens of `piece` if they are known.
  bool append(std::string_view piece, std::vector<uint32_t>& tokens) const;
  // Longer pieces, or of more tokens, are not kept.
  void keep(std::string_view piece, std::span<const uint32_t> tokens);

 private:
  struct alignas(64) Slot {        // One cache line.
    std::array<char, 32> piece{};  // Its size, the number of tokens, then its bytes and zeros.
    std::array<uint32_t, kTokensMax> tokens{};
  };
  static constexpr size_t kSlots = size_t{1} << 15;
  static std::array<uint64_t, 4> words_of(std::string_view piece);
  static size_t slot_of(const std::array<uint64_t, 4>& words);
  std::vector<Slot> slots_;
};

}  // namespace train::bpe
