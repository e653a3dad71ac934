#include "train/bpe/seams.h"

#include "train/bpe/utf8.h"

namespace train::bpe {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

}  // namespace

size_t Seams::kind_of(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return first;
  return text.starts_with(kSpaceMark) ? 128 : 129;
}

void Seams::join(std::string_view left, std::string_view right) {
  size_t last = left.size() - 1;
  while (last > 0 && (static_cast<uint8_t>(left[last]) & 0xC0) == 0x80) --last;
  joined_.set(kind_of(left.substr(last)) * kKinds + kind_of(right));
}

size_t Seams::first(std::string_view text) const {
  size_t kind = kind_of(text);
  size_t at = character_size(text[0]);
  while (at < text.size()) {
    const size_t next = kind_of(text.substr(at));
    if (!joined_[kind * kKinds + next]) return at;
    kind = next;
    at += character_size(text[at]);
  }
  return text.size();
}

}  // namespace train::bpe
