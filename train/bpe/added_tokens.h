// Tokens that are found in the text before it is split, such as "<think>" or Gemma's runs of new
// lines.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace train::bpe {

// Finds which of a set of texts stand in a text.
class AddedTokens {
 public:
  struct Found {
    size_t begin;
    size_t end;
    uint32_t token;
  };

  // Of the same text added twice the first stays.  Pre: `content` is not empty.
  // `left`, `right`: white space on that side belongs to the token.
  void add(std::string_view content, uint32_t token, bool left = false, bool right = false);
  bool empty() const { return nodes_.empty(); }

  // The leftmost at or after `from`, and of those that begin there the longest. Time: linear in
  // the text but for the longest token.
  std::optional<Found> find(std::string_view text, size_t from) const;

 private:
  static constexpr uint32_t kNone = 0xFFFF'FFFF;
  struct Node {  // Of a tree by bytes; children of one are a list.
    uint32_t next = kNone;
    uint32_t first_child = kNone;
    uint32_t token = kNone;
    uint8_t byte = 0;
    bool left = false;
    bool right = false;
  };
  std::vector<Node> nodes_;
  std::array<uint32_t, 256> root_ = filled();

  static constexpr std::array<uint32_t, 256> filled() {
    std::array<uint32_t, 256> none{};
    none.fill(kNone);
    return none;
  }
  uint32_t find_child(uint32_t first, uint8_t byte) const;
};

}  // namespace train::bpe
