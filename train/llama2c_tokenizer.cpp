// The half of train/llama2c.h that turns tokenizers into SentencePiece's format.
//
// Source: github.com/google/sentencepiece, src/sentencepiece_model.proto (field numbers), and
// protobuf.dev, "Encoding".
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <string>
#include <string_view>

#include "train/llama2c.h"
#include "train/tokenizer.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Result;

constexpr uint32_t kPieceSizeMax = 512;
constexpr uint32_t kFirstByte = 3;
constexpr uint32_t kFirstPiece = kFirstByte + 256;
constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, SentencePiece's space.

Error wrong(const std::string& what) {
  return {Code::kInvalidArgument, "llama2.c tokenizer: " + what};
}

// One message of protocol buffers, field by field.
class Message {
 public:
  void varint(uint32_t field, uint64_t value) {
    number(uint64_t{field} << 3 | 0);
    number(value);
  }
  void text(uint32_t field, std::string_view value) {
    number(uint64_t{field} << 3 | 2);
    number(value.size());
    bytes_ += value;
  }
  void fixed32(uint32_t field, float value) {
    number(uint64_t{field} << 3 | 5);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void number(uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

enum PieceType : uint64_t { kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6 };

struct Piece {
  std::string text;
  float score = 0;
  PieceType type = kNormal;
};

// What stands at `index` in every tokenizer that llama2.c's run.c can use.
Result<Piece> piece_of(uint32_t index, std::string_view text, float score) {
  if (index < kFirstPiece) {
    const std::string byte = fmt::format("<0x{:02X}>", index - kFirstByte);
    const std::string_view wanted = index == 0   ? "<unk>"
                                    : index == 1 ? "\n<s>\n"
                                    : index == 2 ? "\n</s>\n"
                                                 : std::string_view(byte);
    if (text != wanted) return wrong(fmt::format("piece {} is another than {}", index, wanted));
    if (index == 0) return Piece{"<unk>", score, kUnknown};
    if (index == 1) return Piece{"<s>", score, kControl};
    if (index == 2) return Piece{"</s>", score, kControl};
    return Piece{byte, score, kByte};
  }
  if (text.empty() || !std::isfinite(score)) {
    return wrong(fmt::format("piece {} is empty or has no score", index));
  }
  Piece piece{"", score, kNormal};
  for (const char c : text) {
    if (c == ' ') piece.text += kSpace;
    if (c != ' ') piece.text += c;
  }
  return piece;
}

Result<std::vector<Piece>> read_pieces(ByteView file) {
  common::ByteReader in(file);
  const auto longest = in.number<uint32_t>();
  if (!in.ok() || longest == 0 || longest > kPieceSizeMax) {
    return wrong(
        "it should begin with the longest piece's length, 1 to 512; is this tokenizer.bin?");
  }
  std::vector<Piece> pieces;
  while (in.remaining() > 0) {
    const auto score = in.number<float>();
    const ByteView text = in.sized(longest);
    if (!in.ok()) return wrong(fmt::format("piece {} is cut short or too long", pieces.size()));
    if (pieces.size() == kVocabularyMax) return wrong("more than 262,144 pieces");
    TRY(Piece piece, piece_of(static_cast<uint32_t>(pieces.size()), common::text_of(text), score));
    pieces.push_back(std::move(piece));
  }
  if (pieces.size() < kFirstPiece) return wrong("it ends before the 256 bytes do");
  return pieces;
}

}  // namespace

Result<Bytes> sentencepiece_of_llama2c(ByteView file) {
  TRY(const std::vector<Piece> pieces, read_pieces(file));
  Message model;
  for (const Piece& piece : pieces) {
    Message message;
    message.text(1, piece.text);
    message.fixed32(2, piece.score);
    message.varint(3, piece.type);
    model.text(1, message.bytes());
  }
  Message trainer;
  trainer.varint(3, 2);  // BPE
  trainer.varint(4, pieces.size());
  trainer.varint(35, 1);  // Byte fallback.
  trainer.varint(40, 0);  // Unknown, begin, end;
  trainer.varint(41, 1);
  trainer.varint(42, 2);
  trainer.varint(43, ~uint64_t{0});  //   no padding: -1.
  model.text(2, trainer.bytes());
  Message normaliser;
  normaliser.text(1, "identity");
  normaliser.varint(3, 1);  // A space before the text;
  normaliser.varint(4, 0);  //   others stay as they are.
  normaliser.varint(5, 1);
  model.text(3, normaliser.bytes());
  const ByteView bytes = common::view_of(model.bytes());
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace train
