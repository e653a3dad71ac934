#include "train/bpe/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/check.h"
#include "train/bpe/component.h"
#include "train/bpe/utf8.h"

namespace train::bpe {
namespace {

using common::Result;

constexpr size_t kGrowthMax = 64;

// Unicode Standard Annex 15; Unicode 15 in Debian's utf8proc 2.8.
int form_of(std::string_view type) {
  if (type == "NFC") return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  if (type == "NFD") return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  if (type == "NFKC") return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
  if (type == "NFKD") return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
  return 0;
}

void to_form(std::string_view text, int form, std::string& out) {
  utf8proc_uint8_t* made = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &made,
                                             static_cast<utf8proc_option_t>(form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
  CHECK_MSG(size >= 0, utf8proc_errmsg(size));  // UTF-8 has every form; memory must be had.
  out.assign(reinterpret_cast<const char*>(made), static_cast<size_t>(size));
}

void replace(std::string_view text, const Regex& pattern, std::string_view content,
             std::string& out, RegexScratch& scratch) {
  out.clear();
  size_t at = 0;
  while (const auto found = pattern.find(text, at, scratch)) {
    out += text.substr(at, found->begin - at);
    out += content;
    at = found->end;
  }
  out += text.substr(at);
}

}  // namespace

Result<Normalizer> Normalizer::make(const nlohmann::json& json) {
  Normalizer made;
  size_t growth = 1;
  const auto add = [&](Component& part) -> Result<void> {
    Step step;
    step.form = form_of(part.type());
    if (step.form != 0) {
      step.kind = Kind::kUnicode;
    } else if (part.type() == "Prepend") {
      step.kind = Kind::kPrepend;
      step.content = part.text("prepend");
    } else if (part.type() == "Replace") {
      step.kind = Kind::kReplace;
      step.content = part.text("content");
      TRY(step.pattern, part.pattern("pattern"));
    } else {
      return part.unknown();
    }
    growth *= std::max<size_t>(1, step.content.size());
    if (growth > kGrowthMax) return part.error("it would make a text too long");
    made.steps_.push_back(std::move(step));
    return {};
  };
  TRY_VOID(for_each_component(json, "normalizer", "normalizers", add));
  return made;
}

std::string_view Normalizer::apply(std::string_view text, std::string& out,
                                   RegexScratch& scratch) const {
  std::string made;
  for (const Step& step : steps_) {
    switch (step.kind) {
      case Kind::kPrepend:
        made = step.content;
        made += text;
        break;
      case Kind::kReplace:
        replace(text, *step.pattern, step.content, made, scratch);
        break;
      case Kind::kUnicode:
        if (is_ascii(text)) continue;
        to_form(text, step.form, made);
        break;
    }
    out.swap(made);
    text = out;
  }
  return text;
}

}  // namespace train::bpe
