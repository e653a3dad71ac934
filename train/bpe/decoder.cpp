#include "train/bpe/decoder.h"

#include "train/bpe/byte_alphabet.h"
#include "train/bpe/component.h"

namespace train::bpe {
namespace {

using common::Result;

constexpr uint32_t kStripMax = 16;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string made;
  for (size_t at = 0;;) {
    const size_t found = text.find(what, at);
    made += text.substr(at, found - at);
    if (found == std::string_view::npos) return made;
    made += by;
    at = found + what.size();
  }
}

}  // namespace

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const int high = hex_digit(token[3]);
  const int low = hex_digit(token[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

Result<void> Decoder::add_replace(Component& part, std::string what, std::string by) {
  if (by.size() > what.size()) return part.error("it would make a text longer");
  if (byte_level_ || byte_fallback_ || strip_count_ > 0) {
    return part.error("it comes after a component that it should come before");
  }
  replaced_.emplace_back(std::move(what), std::move(by));
  return {};
}

Result<void> Decoder::add(Component& part) {
  if (part.type() == "ByteLevel") {
    part.flag("add_prefix_space", true);  // It does not matter on the way back,
    part.flag("trim_offsets", true);      //   nor do these.
    part.flag("use_regex", true);
    byte_level_ = true;
  } else if (part.type() == "ByteFallback") {
    byte_fallback_ = true;
  } else if (part.type() == "Fuse") {
    fused_ = true;
  } else if (part.type() == "Replace") {
    TRY(std::string what, part.plain_pattern("pattern"));
    return add_replace(part, std::move(what), part.text("content"));
  } else if (part.type() == "Metaspace") {
    const std::string replacement = part.text("replacement");
    part.text("str_rep", "");
    part.flag("split", true);
    const bool prefixed = part.flag("add_prefix_space", true);
    if (replacement.empty()) return part.error("replacement: one character is expected");
    TRY_VOID(add_replace(part, replacement, " "));
    if (part.text("prepend_scheme", prefixed ? "always" : "never") == "never") return {};
    strip_text_.assign(1, ' ');
    strip_count_ = 1;
  } else if (part.type() == "Strip") {
    strip_text_ = part.text("content");
    strip_count_ = part.number("start", 0);
    if (!fused_ || part.number("stop", 0) > 0 || strip_text_.empty() || strip_count_ > kStripMax) {
      return part.error("only what cuts off the beginning of the whole, after a Fuse, is read");
    }
  } else {
    return part.unknown();
  }
  return {};
}

Result<Decoder> Decoder::make(const nlohmann::json& json) {
  Decoder made;
  TRY_VOID(for_each_component(json, "decoder", "decoders",
                              [&](Component& part) { return made.add(part); }));
  return made;
}

std::string Decoder::token(std::string_view token) const {
  std::string text(token);
  for (const auto& [what, by] : replaced_) text = replaced(text, what, by);
  if (byte_level_) {
    if (auto bytes = from_alphabet(text)) return *std::move(bytes);
  }
  if (const int byte = byte_of_token(text); byte_fallback_ && byte >= 0) {
    return {static_cast<char>(byte)};
  }
  return text;
}

}  // namespace train::bpe
