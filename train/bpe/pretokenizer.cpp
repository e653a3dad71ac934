#include "train/bpe/pretokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/check.h"
#include "train/bpe/byte_alphabet.h"
#include "train/bpe/component.h"

namespace train::bpe {
namespace {

using common::Result;

// GPT-2's. Source: Radford et al. 2019, encoder.py.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kPunctuation = R"([!-\/:-@\[-`{-~\p{P}])";

}  // namespace

// All of `text`, matches and what lies between.
std::vector<Pretokenizer::Section> Pretokenizer::sections(std::string_view text,
                                                          const Regex& pattern, bool invert,
                                                          RegexScratch& scratch) {
  std::vector<Section> found;
  size_t at = 0;
  while (const auto match = pattern.find(text, at, scratch)) {
    if (at < match->begin) found.push_back({{at, match->begin}, invert});
    found.push_back({*match, !invert});
    at = match->end;
  }
  if (at < text.size()) found.push_back({{at, text.size()}, invert});
  return found;
}

// The pieces that matches and the rest make.
std::vector<Span> Pretokenizer::joined(std::vector<Section> found, Behavior behavior) {
  std::vector<Span> pieces;
  const bool backwards = behavior == Behavior::kMergedWithNext;
  if (backwards) std::reverse(found.begin(), found.end());
  bool match_before = false;
  for (const auto& [span, match] : found) {
    const bool joins = behavior == Behavior::kContiguous ? match == match_before
                       : behavior == Behavior::kMergedWithPrevious || backwards
                           ? match && !match_before
                           : false;
    match_before = match;
    if (behavior == Behavior::kRemoved && match) continue;
    if (!joins || pieces.empty()) {
      pieces.push_back(span);
    } else if (backwards) {
      pieces.back().begin = span.begin;
    } else {
      pieces.back().end = span.end;
    }
  }
  if (backwards) std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

struct Pretokenizer::Call {
  RegexScratch& scratch;
  const Piece& piece;
};

Result<Pretokenizer> Pretokenizer::make(const nlohmann::json& json) {
  Pretokenizer made;
  TRY_VOID(for_each_component(json, "pre_tokenizer", "pretokenizers",
                              [&](Component& part) { return made.add(part); }));
  // At the end of the way the bytes need not be spelled as characters first.
  made.in_alphabet_ = made.byte_level_;
  if (made.byte_level_ && made.steps_.back().to_alphabet) {
    made.steps_.back().to_alphabet = false;
    made.in_alphabet_ = false;
  }
  return made;
}

Result<void> Pretokenizer::read_behavior(Component& part, const std::string& name, Step& step) {
  static const std::array<std::pair<std::string_view, Behavior>, 5> kBehaviors = {{
      {"Removed", Behavior::kRemoved},
      {"Isolated", Behavior::kIsolated},
      {"MergedWithPrevious", Behavior::kMergedWithPrevious},
      {"MergedWithNext", Behavior::kMergedWithNext},
      {"Contiguous", Behavior::kContiguous},
  }};
  for (const auto& [known, behavior] : kBehaviors) {
    if (name != known) continue;
    step.behavior = behavior;
    return {};
  }
  return part.error("this program does not know the behavior '" + name.substr(0, 60) + "'");
}

Result<void> Pretokenizer::add(Component& part) {
  Step step;
  if (part.type() == "ByteLevel") {
    if (byte_level_) return part.error("a second ByteLevel");
    byte_level_ = true;
    if (part.flag("add_prefix_space", true)) {
      steps_.push_back({.space = " ", .prefix = Prefix::kAlways});
    }
    part.flag("trim_offsets", true);  // Of positions, which we do not tell.
    if (part.flag("use_regex", true)) {
      TRY(step.pattern, Regex::make(kByteLevelPattern));
    }
    step.to_alphabet = true;
  } else if (part.type() == "Split") {
    TRY(step.pattern, part.pattern("pattern"));
    TRY_VOID(read_behavior(part, part.text("behavior"), step));
    step.invert = part.flag("invert", false);
  } else if (part.type() == "Digits") {
    const bool each = part.flag("individual_digits", false);
    step.behavior = each ? Behavior::kIsolated : Behavior::kContiguous;
    TRY(step.pattern, Regex::make(R"(\p{N})"));
  } else if (part.type() == "Punctuation") {
    TRY_VOID(read_behavior(part, part.text("behavior", "Isolated"), step));
    TRY(step.pattern, Regex::make(kPunctuation));
  } else if (part.type() == "WhitespaceSplit") {
    step.behavior = Behavior::kRemoved;
    TRY(step.pattern, Regex::make(R"(\s)"));
  } else if (part.type() == "Metaspace") {
    if (byte_level_) return part.error("a Metaspace after a ByteLevel");
    TRY_VOID(read_metaspace(part, step));
  } else {
    return part.unknown();
  }
  steps_.push_back(std::move(step));
  return {};
}

Result<void> Pretokenizer::read_metaspace(Component& part, Step& step) {
  step.space = part.text("replacement");
  part.text("str_rep", "");  // The replacement again, in old files.
  const bool prefixed = part.flag("add_prefix_space", true);
  const std::string scheme = part.text("prepend_scheme", prefixed ? "always" : "never");
  step.prefix = scheme == "always"  ? Prefix::kAlways
                : scheme == "first" ? Prefix::kFirst
                                    : Prefix::kNever;
  if (step.prefix == Prefix::kNever && scheme != "never") {
    return part.error("prepend_scheme: \"always\", \"first\" or \"never\" is expected");
  }
  if (step.space.empty() || step.space.size() > 4) {
    return part.error("replacement: one character is expected");
  }
  if (part.flag("split", true)) {
    step.behavior = Behavior::kMergedWithNext;
    TRY(step.pattern, Regex::literal(step.space));
  }
  return {};
}

void Pretokenizer::split(std::string_view text, bool at_start, RegexScratch& scratch,
                         const Piece& piece) const {
  run(0, text, at_start, {scratch, piece});
}

// One step after another: depth first, so that pieces come in order. The depth is that of the list.
void Pretokenizer::run(size_t step, std::string_view text, bool at_start, const Call& call) const {
  if (text.empty()) return;
  if (step == steps_.size()) {
    if (!in_alphabet_) return call.piece(text);
    const auto bytes = from_alphabet(text);
    CHECK(bytes.has_value());  // Nothing but ByteLevel's own characters comes after it.
    return call.piece(*bytes);
  }
  const Step& now = steps_[step];
  if (now.space.empty()) return cut(step, text, at_start, call);
  std::string changed;
  changed.reserve(text.size() + 16);
  for (const char c : text) {
    if (c == ' ') {
      changed += now.space;
    } else {
      changed.push_back(c);
    }
  }
  const bool prefixed = now.prefix == Prefix::kAlways || (now.prefix == Prefix::kFirst && at_start);
  if (prefixed && !changed.starts_with(now.space)) changed.insert(0, now.space);
  cut(step, changed, at_start, call);
}

void Pretokenizer::cut(size_t step, std::string_view text, bool at_start, const Call& call) const {
  const Step& now = steps_[step];
  const auto hand_on = [&](size_t begin, size_t end) {
    const std::string_view piece = text.substr(begin, end - begin);
    const bool first = at_start && begin == 0;
    if (now.to_alphabet) return run(step + 1, to_alphabet(piece), first, call);
    run(step + 1, piece, first, call);
  };
  if (!now.pattern) return hand_on(0, text.size());
  if (now.behavior == Behavior::kIsolated) {  // By far the most frequent, and needs no list.
    size_t at = 0;
    while (const auto match = now.pattern->find(text, at, call.scratch)) {
      hand_on(at, match->begin);
      hand_on(match->begin, match->end);
      at = match->end;
    }
    return hand_on(at, text.size());
  }
  for (const Span& piece :
       joined(sections(text, *now.pattern, now.invert, call.scratch), now.behavior)) {
    hand_on(piece.begin, piece.end);
  }
}

}  // namespace train::bpe
