// The part of train/bpe/model.h that makes models of SentencePiece's pieces.
#include <algorithm>
#include <cmath>
#include <functional>

#include "train/bpe/decoder.h"
#include "train/bpe/model.h"
#include "train/bpe/utf8.h"
#include "train/text_reader.h"

namespace train::bpe {
namespace {

constexpr size_t kPieceSizeMost = 512;

bool whole_utf8(std::string_view text) {
  uint64_t replaced = 0;
  static_cast<void>(valid_utf8(text, replaced));
  return replaced == 0;
}

struct PieceMerge {
  uint32_t left;
  uint32_t right;
  uint32_t rank;
  uint32_t merged;
};

// All ways to put a normal piece together of two.
std::vector<PieceMerge> merges_of(const std::vector<ScoredPiece>& pieces, const TextMap& normal) {
  // Equal scores are equal ranks.
  std::vector<float> scores;
  for (const auto& [text, token] : normal) scores.push_back(pieces[token].score);
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::vector<PieceMerge> merges;
  for (const auto& [text, token] : normal) {
    const auto place =
        std::lower_bound(scores.begin(), scores.end(), pieces[token].score, std::greater<>());
    const auto rank = static_cast<uint32_t>(place - scores.begin());
    const std::string_view whole = text;
    for (size_t at = character_size(whole[0]); at < whole.size(); at += character_size(whole[at])) {
      const auto left = normal.find(whole.substr(0, at));
      const auto right = normal.find(whole.substr(at));
      if (left == normal.end() || right == normal.end()) continue;
      merges.push_back({left->second, right->second, rank, token});
    }
  }
  return merges;
}

}  // namespace

// Into bytes_, characters_ and `normal`.
bool Model::read_pieces(const std::vector<ScoredPiece>& pieces, TextMap& normal) {
  using Kind = ScoredPiece::Kind;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const ScoredPiece& piece = pieces[i];
    const auto token = static_cast<uint32_t>(i);
    const bool sound = !piece.text.empty() && piece.text.size() <= kPieceSizeMost &&
                       !std::isnan(piece.score) && whole_utf8(piece.text);
    if (piece.kind == Kind::kUnused || !sound) return false;
    if (piece.kind == Kind::kByte) {
      const int byte = byte_of_token(piece.text);
      if (byte < 0) return false;
      bytes_[static_cast<size_t>(byte)] = token;
    }
    if (piece.kind != Kind::kNormal) continue;
    if (!normal.emplace(piece.text, token).second) return false;
    const Character first = character_at(piece.text);
    if (first.size == piece.text.size()) characters_.emplace(first.code, token);
  }
  for (const auto& [text, token] : normal) {
    for (std::string_view rest = text; !rest.empty();) {
      const Character next = character_at(rest);
      if (!characters_.contains(next.code)) return false;
      rest.remove_prefix(next.size);
    }
  }
  return std::find(bytes_.begin(), bytes_.end(), kNone) == bytes_.end();
}

std::optional<Model> Model::make_scored(const std::vector<ScoredPiece>& pieces) {
  Model made(0);
  TextMap normal;
  if (pieces.size() > kTokensMax || !made.read_pieces(pieces, normal)) return std::nullopt;
  const auto merges = merges_of(pieces, normal);
  made.merges_ = Merges(merges.size());
  made.fallback_ = true;
  made.cuts_ = true;
  for (const PieceMerge& merge : merges) {
    if (!made.merges_.add(merge.left, merge.right, merge.rank, merge.merged)) return std::nullopt;
    made.seams_.join(pieces[merge.left].text, pieces[merge.right].text);
  }
  return made;
}

}  // namespace train::bpe
