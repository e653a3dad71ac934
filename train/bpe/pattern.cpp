#include "train/bpe/pattern.h"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace train::bpe {
namespace {

using common::Code;
using common::Error;
using common::Result;

// White_Space of Unicode, which is Oniguruma's \s. PCRE2's own holds U+180E besides.
constexpr std::string_view kSpaces = "\\p{Z}\\x{9}-\\x{d}\\x{85}";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

class Translator {
 public:
  explicit Translator(std::string_view pattern) : rest_(pattern) {}

  Result<std::string> run() && {
    while (!rest_.empty()) TRY_VOID(one());
    return std::move(out_);
  }

 private:
  Error refuse(std::string_view what) const {
    return {Code::kInvalidArgument,
            fmt::format("its regular expression uses {}, which this program does not read", what)};
  }

  // Takes `size` characters.
  std::string_view take(size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // The next atom, which a quantifier may follow, begins here.
  void begin_atom() {
    atom_ = out_.size();
    quantified_ = false;
  }

  Result<void> one() {
    switch (rest_.front()) {
      case '\\':
        begin_atom();
        return escape(false);
      case '[':
        begin_atom();
        return character_class();
      case '(':
        return open();
      case ')':
        return close();
      case '{':
        return braces();
      case '^':
      case '$':
        return refuse(fmt::format("the anchor {}", rest_.front()));
      case '+':  // After a quantifier: possessive, to both.
      case '*':
      case '?':
        out_ += take(1);
        quantified_ = true;
        return {};
      default:
        begin_atom();
        out_ += take(1);
        // The bytes of one character are one atom.
        while (!rest_.empty() && (static_cast<uint8_t>(rest_.front()) & 0xC0) == 0x80) {
          out_ += take(1);
        }
        return {};
    }
  }

  // (...), and those of (?...) that mean the same to both.
  Result<void> open() {
    constexpr std::array<std::string_view, 7> known = {"(?i:", "(?:",  "(?=", "(?!",
                                                       "(?>",  "(?<=", "(?<!"};
    opened_.push_back(out_.size());
    quantified_ = false;
    if (rest_.starts_with("(*")) return refuse("a verb (*...)");
    if (!rest_.starts_with("(?")) {
      take(1);
      out_ += "(?:";  // Nobody asks for what a group held.
      return {};
    }
    for (const std::string_view prefix : known) {
      if (!rest_.starts_with(prefix)) continue;
      out_ += take(prefix.size());
      return {};
    }
    return refuse(fmt::format("the group {}...)", rest_.substr(0, 3)));
  }

  Result<void> close() {
    if (opened_.empty()) return refuse("a ) that closes nothing");
    atom_ = opened_.back();
    opened_.pop_back();
    quantified_ = false;
    out_ += take(1);
    return {};
  }

  // {n}, {n,}, {n,m}; followed by + or * it repeats the whole to Oniguruma, where PCRE2 would make
  // it possessive.
  Result<void> braces() {
    const size_t end = rest_.find('}');
    const std::string_view body = rest_.substr(0, end).substr(1);
    const bool numbers = end != std::string_view::npos && !body.empty() &&
                         body.find_first_not_of("0123456789,") == std::string_view::npos &&
                         body.front() != ',' && body.find(',') == body.rfind(',');
    if (!numbers || quantified_ || atom_ == std::string::npos) {
      return refuse("a { that is no quantifier {n}, {n,} or {n,m}; a brace itself is \\{");
    }
    out_ += take(end + 1);
    quantified_ = true;
    if (rest_.empty() || !one_of(rest_.front(), "+*?")) return {};
    if (rest_.front() == '?') return refuse("a lazy {n,m}?");
    out_.insert(atom_, "(?:");
    out_ += ')';
    quantified_ = false;
    return {};
  }

  Result<void> escape(bool in_class) {
    if (rest_.size() < 2) return refuse("a \\ with nothing after it");
    const char kind = rest_[1];
    if (kind == 's' || kind == 'S') return space_escape(kind == 'S', in_class);
    if (kind == 'p' || kind == 'P') return property();
    if (kind == 'x' || kind == 'u') return code_point(kind == 'u' ? 4 : 2);
    if (one_of(kind, "dDnrtf")) {
      out_ += take(2);
      return {};
    }
    if (one_of(kind, kLetters) || one_of(kind, kDigits) || static_cast<uint8_t>(kind) >= 0x80) {
      return refuse(fmt::format("the escape \\{}", kind));
    }
    out_ += take(2);  // Punctuation stands for itself.
    return {};
  }

  Result<void> space_escape(bool negated, bool in_class) {
    take(2);
    if (in_class && negated) return refuse("\\S within a class");
    out_ += in_class ? std::string(kSpaces) : fmt::format("[{}{}]", negated ? "^" : "", kSpaces);
    return {};
  }

  // \p{L} is the same to both; \p{Han} is a script to Oniguruma and its extensions to PCRE2.
  Result<void> property() {
    const size_t end = rest_.find('}');
    if (rest_.size() < 4 || rest_[2] != '{' || end == std::string_view::npos) {
      return refuse("a property without braces; \\p{L} is how it is written");
    }
    const std::string_view kind = rest_.substr(0, 2);
    std::string_view name = rest_.substr(3, end - 3);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    if (name.empty() || name.find_first_not_of(kLetters) != std::string_view::npos) {
      return refuse(fmt::format("the property {}", rest_.substr(0, end + 1)));
    }
    out_ +=
        fmt::format("{}{{{}{}{}}}", kind, negated ? "^" : "", name.size() > 2 ? "sc:" : "", name);
    take(end + 1);
    return {};
  }

  // \xHH (ASCII only: beyond it Oniguruma means a byte), \x{H...}, \uHHHH.
  Result<void> code_point(size_t digits) {
    std::string_view hex = rest_.substr(2, digits);
    size_t size = 2 + digits;
    const bool braced = rest_.substr(1, 2) == "x{";
    if (braced) {
      const size_t end = rest_.find('}');
      hex = end == std::string_view::npos ? "" : rest_.substr(3, end - 3);
      size = end + 1;
    }
    const bool valid = !hex.empty() && hex.size() <= 6 && (braced || hex.size() == digits) &&
                       hex.find_first_not_of(kHexDigits) == std::string_view::npos;
    if (!valid) return refuse("a \\x or \\u without its hex digits");
    if (!braced && digits == 2 && hex[0] >= '8') {
      return refuse(fmt::format("the byte \\x{}; a character is \\x{{...}}", hex));
    }
    out_ += fmt::format("\\x{{{}}}", hex);
    take(size);
    return {};
  }

  // [...]: to Oniguruma a [ within opens a class of its own and && intersects.
  Result<void> character_class() {
    out_ += take(1);
    if (rest_.starts_with('^')) out_ += take(1);
    if (rest_.starts_with(']')) return refuse("a class that begins with ]");
    while (!rest_.empty() && rest_.front() != ']') {
      if (rest_.front() == '[') return refuse("a class within a class; a bracket itself is \\[");
      if (rest_.starts_with("&&")) return refuse("an intersection of classes &&");
      if (rest_.front() == '\\') {
        TRY_VOID(escape(true));
      } else {
        out_ += take(1);
      }
    }
    if (rest_.empty()) return refuse("a class without its ]");
    out_ += take(1);
    return {};
  }

  std::string_view rest_;
  std::string out_;
  size_t atom_ = std::string::npos;  // Where in `out_` the last atom begins,
  bool quantified_ = false;          //   and whether it has its quantifier.
  std::vector<size_t> opened_;       // Where in `out_` each open group begins.
};

}  // namespace

Result<std::string> to_pcre2(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace train::bpe
