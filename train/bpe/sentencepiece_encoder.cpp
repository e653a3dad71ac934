#include "train/bpe/sentencepiece_encoder.h"

#include <utility>

#include "train/bpe/sentencepiece_file.h"

namespace train::bpe {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

}  // namespace

std::unique_ptr<SentencePieceEncoder> SentencePieceEncoder::make(std::string_view model) {
  const auto file = parse_sentencepiece_file(model);
  if (!file || file->model_type != 2 || !file->byte_fallback || file->space_suffix ||
      file->character_map || file->removes_spaces || !file->escapes_spaces) {
    return nullptr;
  }
  auto scored = Model::make_scored(file->pieces);
  if (!scored) return nullptr;
  auto made = std::make_unique<SentencePieceEncoder>(*std::move(scored), file->dummy_prefix);
  for (size_t token = 0; token < file->pieces.size(); ++token) {
    const ScoredPiece& piece = file->pieces[token];
    if (piece.kind == ScoredPiece::Kind::kUser) {
      made->user_.add(piece.text, static_cast<uint32_t>(token));
    }
  }
  return made;
}

std::vector<uint32_t> SentencePieceEncoder::encode(std::string_view text) const {
  std::vector<uint32_t> tokens;
  if (text.empty()) return tokens;
  tokens.reserve(text.size() / 3);
  auto scratch = scratch_.take();
  std::string& marked = scratch->normalized;
  marked.clear();
  marked.reserve(text.size() + text.size() / 2);
  if (dummy_prefix_) marked += kSpaceMark;
  for (size_t at = 0;;) {
    const size_t space = text.find(' ', at);
    marked += text.substr(at, space - at);
    if (space == std::string_view::npos) break;
    marked += kSpaceMark;
    at = space + 1;
  }
  size_t at = 0;
  while (!user_.empty()) {
    const auto found = user_.find(marked, at);
    if (!found) break;
    const std::string_view before = std::string_view(marked).substr(at, found->begin - at);
    model_.encode(before, scratch->model, tokens);
    tokens.push_back(found->token);
    at = found->end;
  }
  model_.encode(std::string_view(marked).substr(at), scratch->model, tokens);
  scratch_.give_back(std::move(scratch));
  return tokens;
}

}  // namespace train::bpe
