#include "train/bpe/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "train/bpe/byte_alphabet.h"
#include "train/bpe/component.h"
#include "train/bpe/decoder.h"
#include "train/bpe/utf8.h"

namespace train::bpe {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

constexpr size_t kShownMax = 60;

Error out_of_vocabulary(std::string_view text) {
  return {Code::kInvalidArgument,
          fmt::format("model.merges: '{}' is not in the vocabulary", text.substr(0, kShownMax))};
}

}  // namespace

Result<Model> Model::make(const TokenizerFile& file, const TextMap& vocabulary, bool byte_level,
                          const std::vector<bool>& never) {
  Model made(file.merges.size());
  made.byte_level_ = byte_level;
  TRY_VOID(check_type(file));
  TRY_VOID(made.read_options(file, vocabulary));
  made.read_texts(vocabulary, never);
  // Where a character may be left out, or many be one unknown, neighbours are not what they seem.
  const bool spells_all =
      std::find(made.bytes_.begin(), made.bytes_.end(), kNone) == made.bytes_.end();
  made.cuts_ = !byte_level && made.fallback_ && spells_all && !made.ignore_merges_;
  TRY_VOID(made.read_merges(file, vocabulary, never));
  return made;
}

Result<void> Model::check_type(const TokenizerFile& file) {
  const auto model = file.rest.find("model");
  if (model == file.rest.end() || !model->is_object()) {
    return Error{Code::kInvalidArgument, "it has no model"};
  }
  const json type = model->value("type", json());
  // GPT-2's own file, for one, does not say it.
  if (type != "BPE" && !(type.is_null() && model->contains("merges"))) {
    const std::string name = type.is_string() ? type.get<std::string>() : "unknown";
    return Error{Code::kInvalidArgument,
                 fmt::format("its model is of type '{}': only BPE is read; a Unigram model may "
                             "have a SentencePiece .model file beside it, which is",
                             name.substr(0, kShownMax))};
  }
  const json vocabulary = model->value("vocab", json());
  const json merges = model->value("merges", json());
  if (!vocabulary.is_object() || !merges.is_array()) {
    return Error{Code::kInvalidArgument, "model: a BPE model has a vocab {...} and merges [...]"};
  }
  return {};
}

Result<void> Model::read_options(const TokenizerFile& file, const TextMap& vocabulary) {
  json fields = file.rest["model"];
  const json dropout = fields.value("dropout", json());
  fields["type"] = "BPE";
  for (const char* read : {"vocab", "merges", "dropout"}) fields.erase(read);
  TRY(Component part, Component::make(fields, "model"));
  if (!dropout.is_null() && dropout != 0.0) {
    return part.error("dropout: the tokens of a text would be chance; set it to null");
  }
  fallback_ = part.flag("byte_fallback", false);
  fuse_unknown_ = part.flag("fuse_unk", false);
  ignore_merges_ = part.flag("ignore_merges", false);
  const std::string unknown = part.text("unk_token", "");
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!part.text(affix, "").empty()) {
      return part.error(fmt::format("{}: models that mark parts of words are not read", affix));
    }
  }
  TRY_VOID(part.finish());
  if (unknown.empty()) return {};
  const auto token = vocabulary.find(unknown);
  if (token == vocabulary.end()) return part.error("unk_token: it is not in the vocabulary");
  unknown_ = token->second;
  return {};
}

void Model::read_texts(const TextMap& vocabulary, const std::vector<bool>& never) {
  for (const auto& [text, token] : vocabulary) {
    if (never[token] || text.empty()) continue;
    if (byte_level_) {
      auto bytes = from_alphabet(text);
      if (!bytes) continue;
      if (bytes->size() == 1) bytes_[static_cast<uint8_t>(bytes->front())] = token;
      if (ignore_merges_) whole_.emplace(*std::move(bytes), token);
      continue;
    }
    const Character first = character_at(text);
    if (first.size == text.size()) characters_.emplace(first.code, token);
    if (const int byte = byte_of_token(text); fallback_ && byte >= 0) {
      bytes_[static_cast<size_t>(byte)] = token;
    }
    if (ignore_merges_) whole_.emplace(text, token);
  }
}

Result<void> Model::read_merges(const TokenizerFile& file, const TextMap& vocabulary,
                                const std::vector<bool>& never) {
  const auto is_byte = [&](uint32_t token) {
    return std::find(bytes_.begin(), bytes_.end(), token) != bytes_.end();
  };
  std::string both;
  uint32_t rank = 0;
  for (const auto& [left, right] : file.merges) {
    both.assign(left).append(right);
    const auto a = vocabulary.find(left);
    const auto b = vocabulary.find(right);
    const auto made = vocabulary.find(both);
    if (a == vocabulary.end() || left.empty()) return out_of_vocabulary(left);
    if (b == vocabulary.end() || right.empty()) return out_of_vocabulary(right);
    if (made == vocabulary.end()) return out_of_vocabulary(both);
    const uint32_t now = rank++;
    if (never[made->second]) continue;
    TRY_VOID(merges_.add(a->second, b->second, now, made->second));
    if (!cuts_) continue;
    seams_.join(left, right);
    // A byte's token stands for another character than it is written with.
    if (left.starts_with("<0x") || right.starts_with("<0x")) {
      if (is_byte(a->second) || is_byte(b->second)) seams_.join_all();
    }
  }
  return {};
}

void Model::encode(std::string_view piece, ModelScratch& scratch,
                   std::vector<uint32_t>& tokens) const {
  while (!piece.empty()) {
    const std::string_view word = piece.substr(0, cuts_ ? seams_.first(piece) : piece.size());
    piece.remove_prefix(word.size());
    if (scratch.cache.append(word, tokens)) continue;
    const size_t before = tokens.size();
    encode_word(word, scratch, tokens);
    scratch.cache.keep(word, std::span(tokens).subspan(before));
  }
}

void Model::encode_word(std::string_view word, ModelScratch& scratch,
                        std::vector<uint32_t>& tokens) const {
  if (ignore_merges_) {
    if (const auto known = whole_.find(word); known != whole_.end()) {
      tokens.push_back(known->second);
      return;
    }
  }
  scratch.word.clear();
  spell(word, scratch.word);
  merges_.apply(scratch.word, scratch.merge);
  tokens.insert(tokens.end(), scratch.word.begin(), scratch.word.end());
}

// One token a character, or byte.
void Model::spell(std::string_view word, std::vector<uint32_t>& tokens) const {
  bool pending = false;  // An unknown token that is to be written before the next that is known.
  const auto write = [&](uint32_t token) {
    if (std::exchange(pending, false)) tokens.push_back(unknown_);
    tokens.push_back(token);
  };
  while (!word.empty()) {
    if (byte_level_) {
      const std::string_view byte = word.substr(0, 1);
      word.remove_prefix(1);
      const uint32_t token = bytes_[static_cast<uint8_t>(byte[0])];
      token != kNone ? write(token) : spell_unknown({}, pending, tokens);
      continue;
    }
    const Character next = character_at(word);
    const auto known = characters_.find(next.code);
    known != characters_.end() ? write(known->second)
                               : spell_unknown(word.substr(0, next.size), pending, tokens);
    word.remove_prefix(next.size);
  }
  if (pending) tokens.push_back(unknown_);
}

// As its bytes if all of them have tokens; else it is unknown. The order is Hugging Face's, where
// bytes overtake an unknown token that is still pending.
void Model::spell_unknown(std::string_view character, bool& pending,
                          std::vector<uint32_t>& tokens) const {
  const auto token_of = [&](char byte) { return bytes_[static_cast<uint8_t>(byte)]; };
  if (fallback_ && !character.empty() &&
      std::all_of(character.begin(), character.end(),
                  [&](char c) { return token_of(c) != kNone; })) {
    for (const char byte : character) tokens.push_back(token_of(byte));
    return;
  }
  if (unknown_ == kNone) return;
  if (pending && !fuse_unknown_) tokens.push_back(unknown_);
  pending = true;
}

}  // namespace train::bpe
