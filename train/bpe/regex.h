// A regular expression, or a plain text, to be found in text. PCRE2 with its just-in-time compiler.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace train::bpe {

// Where something was found: bytes begin .. end of a text.
struct Span {
  size_t begin;
  size_t end;
};

// Working memory of searches; one thread at a time. Serves every Regex.
class RegexScratch {
 public:
  RegexScratch();

 private:
  friend class Regex;
  struct Free {
    void operator()(pcre2_real_match_data_8* data) const;
    void operator()(pcre2_real_match_context_8* context) const;
    void operator()(pcre2_real_jit_stack_8* stack) const;
  };
  std::unique_ptr<pcre2_real_match_data_8, Free> data_;
  std::unique_ptr<pcre2_real_match_context_8, Free> context_;
  std::unique_ptr<pcre2_real_jit_stack_8, Free> stack_;  // Nothing where there is no JIT.
};

// Move only; may be searched with by several threads at once.
class Regex {
 public:
  // A pattern in Oniguruma's syntax, see pattern.h; kInvalidArgument with what is wrong.
  static common::Result<Regex> make(std::string_view pattern);
  // The text itself, of at least a byte.
  static common::Result<Regex> literal(std::string_view text);

  // The first match in `text` at or after `from` that is not empty. Nothing also if a search takes
  // more than about 2^20 + 32 * size steps: that bounds hostile patterns. No tokenizer that we know
  // of comes near.  Pre: `text` is UTF-8, `from` is where a character begins.
  std::optional<Span> find(std::string_view text, size_t from, RegexScratch& scratch) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  std::unique_ptr<pcre2_real_code_8, Free> code_;
  std::string literal_;  // Of a Regex without code.
};

}  // namespace train::bpe
