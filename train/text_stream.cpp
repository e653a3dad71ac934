#include "train/text_stream.h"

#include "common/bytes.h"
#include "train/text_reader.h"

namespace train {
namespace {

// No character is spelled in more tokens: then what does not decode never will.
constexpr size_t kTokensOfACharacter = 8;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Whether the text may end inside a character: with the beginning of one, or with what a tokenizer
// puts for that.
bool is_open(std::string_view text) {
  if (text.ends_with(kReplacement)) return true;
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if (byte < 0x80) return false;
    if (byte < 0xC0) continue;
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    return back < length;
  }
  return false;
}

std::string valid(std::string_view text) {
  uint64_t replaced = 0;
  return valid_utf8(text, replaced);
}

}  // namespace

// A token's text may depend on the one before it (a space at the beginning of a text is not shown),
// so a few tokens are decoded again as the context of the next.
std::string TextStream::push(uint32_t token) {
  tokens_.push_back(token);
  const std::string text = tokenizer_.decode(tokens_);
  const size_t waiting = tokens_.size() - shown_tokens_;
  if (text.size() < shown_ || (is_open(text) && waiting < kTokensOfACharacter)) return "";
  std::string fresh = valid(std::string_view(text).substr(shown_));
  shown_ = text.size();
  shown_tokens_ = tokens_.size();
  if (tokens_.size() >= 2 * kTokensOfACharacter) {
    tokens_.erase(tokens_.begin(), tokens_.end() - kTokensOfACharacter);
    shown_ = tokenizer_.decode(tokens_).size();
    shown_tokens_ = tokens_.size();
  }
  return fresh;
}

std::string TextStream::finish() {
  const std::string text = tokenizer_.decode(tokens_);
  std::string fresh = text.size() > shown_ ? valid(std::string_view(text).substr(shown_)) : "";
  tokens_.clear();
  shown_ = 0;
  shown_tokens_ = 0;
  return fresh;
}

}  // namespace train
