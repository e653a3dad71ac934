// Goal: no tokenizer file crashes or hangs us, and what is accepted keeps Tokenizer's promises.
// Method: the input as a tokenizer.json and as a SentencePiece model; what is accepted encodes a
// text that holds something of everything, and the input itself.
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/check.h"
#include "train/bpe/sentencepiece_encoder.h"
#include "train/bpe_tokenizer.h"
#include "train/text_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kTextSizeMax = 2048;
constexpr std::string_view kText =
    "ab a_b 12345 </s><t>  \n\n\tit's IT'S <0x62> \xC3\xA9 e\xCC\x81 "
    "\xE6\xBC\xA2\xF0\x9F\xA6\x86\xFF!?";

void use(const train::Tokenizer& tokenizer, std::string_view text) {
  const auto tokens = tokenizer.encode(text);
  for (const uint32_t token : tokens) {
    CHECK(token < tokenizer.vocabulary());
    CHECK(token != tokenizer.end_of_document());
  }
  CHECK(tokens == tokenizer.encode(text));  // From memory, the second time.
  static_cast<void>(tokenizer.decode(tokens));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = train::make_huggingface(std::string(input), "");
  if (tokenizer) {
    use(**tokenizer, kText);
    use(**tokenizer, input.substr(0, kTextSizeMax));
  }
  if (const auto encoder = train::bpe::SentencePieceEncoder::make(input)) {
    uint64_t replaced = 0;
    static_cast<void>(encoder->encode(train::valid_utf8(kText, replaced)));
  }
  return 0;
}
