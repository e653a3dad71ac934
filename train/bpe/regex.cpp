#define PCRE2_CODE_UNIT_WIDTH 8
#include "train/bpe/regex.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <limits>

#include "common/check.h"
#include "train/bpe/pattern.h"

namespace train::bpe {
namespace {

using common::Code;
using common::Error;
using common::Result;

constexpr size_t kPatternSizeMax = 16 << 10;
constexpr size_t kJitStackMin = 32 << 10;
constexpr size_t kJitStackMax = 4 << 20;
constexpr uint32_t kHeapMax_KiB = 64 << 10;
constexpr uint32_t kDepthMax = 20'000;

}  // namespace

void RegexScratch::Free::operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
void RegexScratch::Free::operator()(pcre2_match_context* context) const {
  pcre2_match_context_free(context);
}
void RegexScratch::Free::operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
void Regex::Free::operator()(pcre2_code* code) const { pcre2_code_free(code); }

RegexScratch::RegexScratch()
    : data_(pcre2_match_data_create(1, nullptr)),
      context_(pcre2_match_context_create(nullptr)),
      stack_(pcre2_jit_stack_create(kJitStackMin, kJitStackMax, nullptr)) {
  CHECK(data_ && context_);
  pcre2_set_heap_limit(context_.get(), kHeapMax_KiB);
  pcre2_set_depth_limit(context_.get(), kDepthMax);
  if (stack_) pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
}

Result<Regex> Regex::make(std::string_view pattern) {
  if (pattern.size() > kPatternSizeMax) {
    return Error{Code::kInvalidArgument, fmt::format("a pattern of {} bytes; at most {} are read",
                                                     pattern.size(), kPatternSizeMax)};
  }
  TRY(const std::string translated, to_pcre2(pattern));
  struct FreeContext {
    void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  };
  const std::unique_ptr<pcre2_compile_context, FreeContext> context(
      pcre2_compile_context_create(nullptr));
  CHECK(context);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int trouble = 0;
  size_t at = 0;
  Regex regex;
  regex.code_.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &trouble, &at, context.get()));
  if (!regex.code_) {
    std::array<PCRE2_UCHAR, 256> words{};
    pcre2_get_error_message(trouble, words.data(), words.size());
    return Error{Code::kInvalidArgument,
                 fmt::format("its regular expression is not understood: {}, at byte {} of {}",
                             reinterpret_cast<const char*>(words.data()), at, translated)};
  }
  // Where it cannot (no memory that may be executed), the interpreter does the same, slower.
  static_cast<void>(pcre2_jit_compile(regex.code_.get(), PCRE2_JIT_COMPLETE));
  return regex;
}

Result<Regex> Regex::literal(std::string_view text) {
  if (text.empty()) return Error{Code::kInvalidArgument, "an empty text cannot be looked for"};
  Regex regex;
  regex.literal_ = text;
  return regex;
}

std::optional<Span> Regex::find(std::string_view text, size_t from, RegexScratch& scratch) const {
  if (!code_) {
    const size_t at = text.find(literal_, from);
    if (at == std::string_view::npos) return std::nullopt;
    return Span{at, at + literal_.size()};
  }
  constexpr size_t kStepsMax = std::numeric_limits<uint32_t>::max();
  pcre2_set_match_limit(
      scratch.context_.get(),
      static_cast<uint32_t>(std::min(kStepsMax, (size_t{1} << 20) + 32 * text.size())));
  while (from < text.size()) {
    const int found =
        pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                    PCRE2_NO_UTF_CHECK, scratch.data_.get(), scratch.context_.get());
    if (found < 0) return std::nullopt;
    const size_t* const bounds = pcre2_get_ovector_pointer(scratch.data_.get());
    CHECK(from <= bounds[0] && bounds[0] <= bounds[1] && bounds[1] <= text.size());
    if (bounds[0] < bounds[1]) return Span{bounds[0], bounds[1]};
    from = bounds[1] + 1;  // Nothing found here: on with the next character.
    while (from < text.size() && (static_cast<uint8_t>(text[from]) & 0xC0) == 0x80) ++from;
  }
  return std::nullopt;
}

}  // namespace train::bpe
