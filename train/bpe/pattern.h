// Regular expressions as a tokenizer.json writes them.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace train::bpe {

// `pattern` is in Oniguruma's syntax, which Hugging Face's tokenizers use; the result means the
// same to PCRE2 (UTF, UCP, newline LF). What the two read differently is spelled out (\s, \uXXXX,
// {1,3}+, scripts); what cannot be, or no tokenizer that we know of uses (\w, \b, ^, $,
// back-references, inline options but (?i:), nested or intersected classes), is kInvalidArgument
// with a sentence that names it. A syntax error may pass: PCRE2 finds it.
common::Result<std::string> to_pcre2(std::string_view pattern);

}  // namespace train::bpe
