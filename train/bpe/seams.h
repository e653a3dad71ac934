// Where a text can be cut without a token being cut: between two characters that no merge joins.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace train::bpe {

// Every merge of "l" and "r" joins the last character of l and the first of r, and the tokens of a
// text are made by merges alone. So of two characters that no merge joins, the tokens of what is
// before and of what is after are those of the whole. LLaMA's vocabulary, for one, joins nothing
// and a "▁" that follows it: its words can be merged, and remembered, one by one. ASCII and "▁" are
// told apart; all other characters are taken for one.
class Seams {
 public:
  // A merge of these two; both UTF-8, neither empty.
  void join(std::string_view left, std::string_view right);
  // From now on nothing may be cut.
  void join_all() { joined_.set(); }

  // How much of `text` comes before the first seam: all, if there is none.
  //  Pre: `text` is UTF-8 and not empty.
  size_t first(std::string_view text) const;

 private:
  static constexpr size_t kKinds = 130;  // ASCII, "▁", all others.
  static size_t kind_of(std::string_view text);
  std::bitset<kKinds * kKinds> joined_;
};

}  // namespace train::bpe
