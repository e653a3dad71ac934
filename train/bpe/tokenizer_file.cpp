#include "train/bpe/tokenizer_file.h"

#include <fmt/format.h>

namespace train::bpe {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr size_t kLevelsMax = 32;
constexpr size_t kValuesMax = size_t{1} << 21;
constexpr size_t kShownMax = 60;

// nlohmann's events. The two large parts go straight to their vectors: as JSON values they would
// take ten times the memory.
class Reader final : public json::json_sax_t {
 public:
  bool null() override { return value(nullptr); }
  bool boolean(bool read) override { return value(read); }
  bool number_integer(number_integer_t read) override { return value(read); }
  bool number_unsigned(number_unsigned_t read) override {
    return in_vocabulary() ? token(read) : value(read);
  }
  bool number_float(number_float_t read, const string_t& /*text*/) override { return value(read); }
  bool string(string_t& read) override { return in_merges() ? merge_text(read) : value(read); }
  bool binary(binary_t& /*read*/) override { return fail("binary data"); }

  bool start_object(size_t /*size*/) override { return open(json::object()); }
  bool start_array(size_t /*size*/) override {
    if (in_merges() && !in_pair_) {
      in_pair_ = true;
      pair_.clear();
      return true;
    }
    return open(json::array());
  }
  bool end_object() override { return close(); }
  bool end_array() override {
    if (!in_pair_) return close();
    in_pair_ = false;
    if (pair_.size() != 2) return fail("model.merges: a merge is \"a b\" or [\"a\", \"b\"]");
    return add_merge(pair_[0], pair_[1]);
  }

  bool key(string_t& name) override {
    if (in_vocabulary()) {
      token_text_ = std::move(name);
      return true;
    }
    if (open_.back()->contains(name)) {
      return fail(fmt::format("the key '{}' stands twice", name.substr(0, kShownMax)));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t /*at*/, const std::string& /*token*/,
                   const json::exception& trouble) override {
    const std::string_view text = trouble.what();
    const size_t bracket = text.find("] ");
    return fail(text.substr(bracket == std::string_view::npos ? 0 : bracket + 2));
  }

  Result<TokenizerFile> finish() && {
    if (!trouble_.empty()) return Error{Code::kInvalidArgument, trouble_};
    if (!file_.rest.is_object()) {
      return Error{Code::kInvalidArgument, "a JSON object {...} is expected"};
    }
    return std::move(file_);
  }

 private:
  // Keeps the first sentence; false ends the parse.
  bool fail(std::string_view sentence) {
    if (trouble_.empty()) trouble_ = sentence;
    return false;
  }

  bool within(const json* part) const {
    return part != nullptr && !open_.empty() && open_.back() == part;
  }
  bool in_vocabulary() const { return within(vocabulary_); }
  bool in_merges() const { return within(merges_); }

  // Where the next value goes; nothing if there are too many.
  json* place(json&& made) {
    if (in_vocabulary()) return fail("model.vocab: whole numbers are expected"), nullptr;
    if (in_merges()) return fail("model.merges: texts are expected"), nullptr;
    if (++values_ > kValuesMax) return fail(fmt::format("over {} values", kValuesMax)), nullptr;
    if (open_.empty()) return file_.rest = std::move(made), &file_.rest;
    json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(made));
    parent.push_back(std::move(made));
    return &parent.back();
  }
  template <typename T>
  bool value(T&& read) {
    return place(json(std::forward<T>(read))) != nullptr;
  }

  bool open(json&& made) {
    if (open_.size() == kLevelsMax) return fail(fmt::format("over {} levels", kLevelsMax));
    const bool in_model = open_.size() == 2 && open_[1] == model_ && model_ != nullptr;
    const bool in_root = open_.size() == 1 && open_[0]->is_object();
    const bool object = made.is_object();
    json* const opened = place(std::move(made));
    if (opened == nullptr) return false;
    if (in_root && object && key_ == "model") model_ = opened;
    if (in_model && object && key_ == "vocab") vocabulary_ = opened;
    if (in_model && !object && key_ == "merges") merges_ = opened;
    open_.push_back(opened);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  bool token(uint64_t id) {
    if (id >= kTokensMax || file_.vocabulary.size() == kTokensMax) {
      return fail(fmt::format("model.vocab: over {} tokens", kTokensMax));
    }
    file_.vocabulary.emplace_back(std::move(token_text_), static_cast<uint32_t>(id));
    return true;
  }
  bool merge_text(string_t& text) {
    if (in_pair_) {
      if (pair_.size() == 2) return fail("model.merges: a merge has two parts");
      pair_.push_back(std::move(text));
      return true;
    }
    const size_t space = text.find(' ');
    if (space == std::string::npos || space != text.rfind(' ')) {
      return fail(fmt::format("model.merges: '{}' is not two parts with a space between",
                              text.substr(0, kShownMax)));
    }
    std::string first = text.substr(0, space);
    std::string second = text.substr(space + 1);
    return add_merge(first, second);
  }
  bool add_merge(std::string& first, std::string& second) {
    if (file_.merges.size() == kMergesMax) {
      return fail(fmt::format("model.merges: over {}", kMergesMax));
    }
    file_.merges.emplace_back(std::move(first), std::move(second));
    return true;
  }

  TokenizerFile file_;
  std::string trouble_;
  std::vector<json*> open_;      // The arrays and objects that we are inside of: children of
                                 //   what is open keep their place while it is open.
  const json* model_ = nullptr;  // Once they are seen.
  const json* vocabulary_ = nullptr;
  const json* merges_ = nullptr;
  std::string key_;
  std::string token_text_;
  bool in_pair_ = false;
  std::vector<std::string> pair_;
  size_t values_ = 0;
};

}  // namespace

Result<TokenizerFile> parse_tokenizer_file(std::string_view text) {
  Reader reader;
  // The reader keeps the first trouble; sax_parse's verdict says no more.
  static_cast<void>(json::sax_parse(text.begin(), text.end(), &reader));
  return std::move(reader).finish();
}

}  // namespace train::bpe
