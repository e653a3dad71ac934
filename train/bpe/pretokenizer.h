// Cuts text into the pieces within which tokens are made: words, as a rule.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/bpe/regex.h"

namespace train::bpe {

class Component;

class Pretokenizer {
 public:
  // "pre_tokenizer" of a tokenizer.json: null, ByteLevel, Split, Digits, Punctuation,
  // WhitespaceSplit, Metaspace, or a Sequence of them. kInvalidArgument names any other.
  static common::Result<Pretokenizer> make(const nlohmann::json& json);

  // Whether pieces are spelled in bytes (there is a ByteLevel), else in characters.
  bool byte_level() const { return byte_level_; }

  using Piece = std::function<void(std::string_view)>;
  // Calls `piece` for every piece of `text`, in order; they live for the call. `at_start`: the text
  // begins here, which Metaspace's "first" asks.  Pre: `text` is UTF-8.
  void split(std::string_view text, bool at_start, RegexScratch& scratch, const Piece& piece) const;

 private:
  // What becomes of a match. Names and meaning: Hugging Face's SplitDelimiterBehavior.
  enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
  enum class Prefix { kNever, kFirst, kAlways };
  struct Step {
    std::optional<Regex> pattern;  // What to cut at; nothing if the text stays whole.
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;             // Cut at what is not matched.
    std::string space;               // Written for every ' ', if not empty;
    Prefix prefix = Prefix::kNever;  //   and put before a text that does not begin with it.
    bool to_alphabet = false;        // Bytes become the characters that stand for them.
  };
  std::vector<Step> steps_;
  bool byte_level_ = false;
  bool in_alphabet_ = false;  // Pieces are characters that stand for bytes at the end.

  struct Call;
  void run(size_t step, std::string_view text, bool at_start, const Call& call) const;
  void cut(size_t step, std::string_view text, bool at_start, const Call& call) const;

  struct Section {  // A match, or what lies between.
    Span span;
    bool match;
  };
  static std::vector<Section> sections(std::string_view text, const Regex& pattern, bool invert,
                                       RegexScratch& scratch);
  static std::vector<Span> joined(std::vector<Section> found, Behavior behavior);

  common::Result<void> add(Component& part);
  static common::Result<void> read_behavior(Component& part, const std::string& name, Step& step);
  static common::Result<void> read_metaspace(Component& part, Step& step);
};

}  // namespace train::bpe
