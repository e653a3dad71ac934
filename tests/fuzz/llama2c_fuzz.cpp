// Goal: no bytes crash the readers of llama2.c's models and tokenizers, and what they accept is
// finite and of the right size. Method: the input as a model; as a model's header before zeros and
// the right angles; as a tokenizer.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/llama2c.h"
#include "train/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void read(common::ByteView bytes) {
  const auto model = train::from_llama2c(bytes);
  if (!model) {
    CHECK(model.error().code == common::Code::kInvalidArgument);
    return;
  }
  const common::CodecParams codec{
      .name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 0};
  const auto layout = train::parameter_layout(model->config.model, codec);
  CHECK(model->theta.size() == layout.parameter_count());
  for (const float value : model->theta) CHECK(std::isfinite(value));
}

// dim 4, hidden 3, 1 layer, 2 heads of 2, 1 of keys, vocabulary 3, 2 positions.
void read_small(common::ByteView parameters) {
  constexpr size_t kParameters = 3 * 4 + 4 + (4 + 2 + 2 + 4) * 4 + 4 + 3 * 3 * 4 + 4;
  common::ByteWriter out;
  for (const int32_t number : std::array{4, 3, 1, 2, 1, 3, 2}) out.number(number);
  common::Bytes body(kParameters * sizeof(float));
  const size_t size = std::min(body.size(), parameters.size());
  std::copy_n(parameters.begin(), size, body.begin());
  out.raw(body);
  for (const double angle : {0.0, 1.0}) out.number(static_cast<float>(std::cos(angle)));
  for (const double angle : {0.0, 1.0}) out.number(static_cast<float>(std::sin(angle)));
  read(out.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const common::ByteView input(data, size);
  read(input);
  read_small(input);
  static_cast<void>(train::sentencepiece_of_llama2c(input));
  return 0;
}
