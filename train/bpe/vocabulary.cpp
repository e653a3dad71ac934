#include "train/bpe/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/strict_json.h"

namespace train::bpe {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr size_t kAddedMax = 65'536;
constexpr size_t kContentSizeMax = 1024;
constexpr size_t kShownMax = 60;

Error wrong(std::string sentence) { return {Code::kInvalidArgument, std::move(sentence)}; }
std::string_view shown(std::string_view text) { return text.substr(0, kShownMax); }

Result<void> put(Vocabulary& vocabulary, const std::string& text, uint32_t id) {
  const auto [place, fresh] = vocabulary.tokens.emplace(text, id);
  if (!fresh && place->second != id) {
    return wrong(fmt::format("the token '{}' is both {} and {}", shown(text), place->second, id));
  }
  if (vocabulary.texts.size() <= id) vocabulary.texts.resize(size_t{id} + 1);
  std::string& there = vocabulary.texts[id];
  if (fresh && !there.empty()) {
    return wrong(fmt::format("{} is both '{}' and '{}'", id, shown(there), shown(text)));
  }
  there = text;
  return {};
}

Result<AddedToken> read_added(const json& entry, size_t index) {
  if (!entry.is_object()) {
    return wrong(fmt::format("added_tokens[{}]: an object is expected", index));
  }
  common::StrictObject object(entry, fmt::format("added_tokens[{}]", index));
  AddedToken token;
  bool whole_word = false;
  object.read("id", token.id);
  object.read("content", token.content);
  object.read_optional("special", token.special);
  token.normalized = !token.special;
  object.read_optional("normalized", token.normalized);
  object.read_optional("lstrip", token.left);
  object.read_optional("rstrip", token.right);
  object.read_optional("single_word", whole_word);
  if (token.id >= kTokensMax) object.fail("id", fmt::format("at most {} are read", kTokensMax));
  if (token.content.empty() || token.content.size() > kContentSizeMax) {
    object.fail("content", fmt::format("1 to {} bytes are expected", kContentSizeMax));
  }
  if (whole_word && !token.special) {
    object.fail("single_word", "tokens that are only found as whole words are not read");
  }
  TRY_VOID(object.finish());
  return token;
}

// "eos_token": "</s>", or {"content": "</s>", ...}.
std::optional<std::string> name_in(const json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_object()) return std::nullopt;
  const auto content = found->find("content");
  if (content == found->end() || !content->is_string()) return std::nullopt;
  return content->get<std::string>();
}

std::optional<uint32_t> find(const Vocabulary& vocabulary, std::string_view text) {
  const auto found = vocabulary.tokens.find(text);
  if (found == vocabulary.tokens.end()) return std::nullopt;
  return found->second;
}

// The first of the usual names that was added.
std::optional<uint32_t> find_added(const Vocabulary& vocabulary,
                                   std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    for (const AddedToken& token : vocabulary.added) {
      if (token.content == name) return token.id;
    }
  }
  return std::nullopt;
}

// What the file's own template puts before a text: {"single": [{"SpecialToken": {"id": "<s>"}}...
std::optional<uint32_t> template_begin(const Vocabulary& vocabulary, const json& document) {
  static const json::json_pointer kWhere("/post_processor/single/0/SpecialToken/id");
  if (!document.contains(kWhere) || !document[kWhere].is_string()) return std::nullopt;
  return find(vocabulary, document[kWhere].get_ref<const std::string&>());
}

}  // namespace

Result<Vocabulary> Vocabulary::make(const TokenizerFile& file) {
  Vocabulary made;
  made.tokens.reserve(file.vocabulary.size());
  for (const auto& [text, id] : file.vocabulary) {
    if (made.tokens.contains(text)) {
      return wrong(fmt::format("model.vocab: '{}' stands twice", shown(text)));
    }
    TRY_VOID(put(made, text, id));
  }
  const json added = file.rest.value("added_tokens", json::array());
  if (!added.is_array() || added.size() > kAddedMax) {
    return wrong(fmt::format("added_tokens: a list of at most {} is expected", kAddedMax));
  }
  for (size_t i = 0; i < added.size(); ++i) {
    TRY(AddedToken token, read_added(added[i], i));
    TRY_VOID(put(made, token.content, token.id));
    made.added.push_back(std::move(token));
  }
  if (made.texts.empty()) return wrong("it has no tokens");
  made.special.resize(made.texts.size());
  for (const AddedToken& token : made.added) {
    if (token.special) made.special[token.id] = true;
  }
  return made;
}

Result<Boundaries> Boundaries::make(const Vocabulary& vocabulary, const TokenizerFile& file,
                                    std::string_view config,
                                    std::optional<uint32_t> end_of_document) {
  json fields = json::object();
  if (!config.empty()) {
    auto parsed = parse_tokenizer_file(config);
    if (!parsed) return common::within("tokenizer_config.json", parsed.error());
    fields = std::move(parsed->rest);
  }
  Boundaries made;
  if (const auto name = name_in(fields, "bos_token")) {
    made.begin = find(vocabulary, *name);
  } else if (!fields.contains("bos_token")) {
    made.begin = template_begin(vocabulary, file.rest);
    if (!made.begin) {
      made.begin = find_added(vocabulary, {"<|begin_of_text|>", "<s>", "<bos>",
                                           "<\xEF\xBD\x9C"
                                           "begin\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"});
    }
  }
  std::optional<uint32_t> end = end_of_document;
  const auto name = name_in(fields, "eos_token");
  if (!end && name) end = find(vocabulary, *name);
  if (!end && name) {
    return wrong(fmt::format("tokenizer_config.json: the eos_token '{}' is not in the vocabulary",
                             shown(*name)));
  }
  if (!end) {
    end = find_added(vocabulary, {"<|end_of_text|>", "<|endoftext|>", "</s>", "<eos>",
                                  "<\xEF\xBD\x9C"
                                  "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"});
  }
  if (!end) {
    return wrong(
        "it has no token that usually ends a document (<|end_of_text|>, <|endoftext|>, "
        "</s>, <eos>): put a tokenizer_config.json beside it that names one, such as "
        "{\"eos_token\": \"<|im_end|>\"}");
  }
  if (*end >= vocabulary.texts.size()) {
    return wrong(fmt::format("token {} should end a document, but there are only {}", *end,
                             vocabulary.texts.size()));
  }
  made.end = *end;
  return made;
}

}  // namespace train::bpe
