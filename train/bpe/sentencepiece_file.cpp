#include "train/bpe/sentencepiece_file.h"

#include <bit>
#include <cstring>
#include <functional>

namespace train::bpe {
namespace {

// One field of a protobuf message. Source: protobuf.dev/programming-guides/encoding.
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;      // Of the kinds that are numbers,
  std::string_view bytes;  //   and of the kind that has a length.
};

// Reads a message field by field; once something is wrong it stays failed.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<Field> next() {
    if (rest_.empty() || failed_) return std::nullopt;
    const uint64_t tag = varint();
    Field field = {.number = tag >> 3};
    switch (tag & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5: {
        uint32_t word = 0;
        const std::string_view four = take(sizeof word);
        std::memcpy(&word, four.data(), four.size());
        field.value = word;
        break;
      }
      default:
        failed_ = true;
    }
    if (failed_) return std::nullopt;
    return field;
  }
  bool failed() const { return failed_; }

 private:
  std::string_view take(uint64_t size) {
    if (size > rest_.size()) failed_ = true;
    const std::string_view taken = rest_.substr(0, failed_ ? 0 : size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::string_view byte = take(1);
      if (failed_) return 0;
      value |= static_cast<uint64_t>(byte[0] & 0x7F) << shift;
      if ((static_cast<uint8_t>(byte[0]) & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

// Calls `each` for every field; false if the message is damaged.
bool read_message(std::string_view bytes, const std::function<void(const Field&)>& each) {
  MessageReader reader(bytes);
  while (const auto field = reader.next()) each(*field);
  return !reader.failed();
}

}  // namespace

// Field numbers: sentencepiece_model.proto of SentencePiece 0.1.97.
std::optional<SentencePieceFile> parse_sentencepiece_file(std::string_view bytes) {
  SentencePieceFile file;
  bool whole = true;
  const auto read_piece = [&](std::string_view message) {
    ScoredPiece& piece = file.pieces.emplace_back();
    whole &= read_message(message, [&](const Field& field) {
      if (field.number == 1) piece.text = field.bytes;
      if (field.number == 2) piece.score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
      if (field.number == 3) piece.kind = static_cast<ScoredPiece::Kind>(field.value);
    });
  };
  const auto read_trainer = [&](const Field& field) {
    if (field.number == 3) file.model_type = field.value;
    if (field.number == 24) file.space_suffix = field.value != 0;
    if (field.number == 35) file.byte_fallback = field.value != 0;
  };
  const auto read_normalizer = [&](const Field& field) {
    if (field.number == 2) file.character_map = !field.bytes.empty();
    if (field.number == 3) file.dummy_prefix = field.value != 0;
    if (field.number == 4) file.removes_spaces = field.value != 0;
    if (field.number == 5) file.escapes_spaces = field.value != 0;
  };
  whole &= read_message(bytes, [&](const Field& field) {
    if (field.number == 1) read_piece(field.bytes);
    if (field.number == 2) whole &= read_message(field.bytes, read_trainer);
    if (field.number == 3) whole &= read_message(field.bytes, read_normalizer);
  });
  if (!whole) return std::nullopt;
  return file;
}

}  // namespace train::bpe
