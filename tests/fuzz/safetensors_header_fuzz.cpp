// Goal: no header crashes the reader of other people's safetensors, and what it accepts are tensors
// that cover the file once. Method: the input as a file; as a header before zeros; sums checked.
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/model_files/safetensors_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr uint64_t kHeaderMax = 1 << 20;

void read(common::ByteView bytes) {
  const auto header = train::parse_safetensors_header(bytes, kHeaderMax);
  if (!header) {
    CHECK(header.error().code == common::Code::kCorrupt);
    return;
  }
  CHECK(header->body <= bytes.size());
  uint64_t end = 0;
  for (const train::StoredTensor& tensor : header->tensors) {
    CHECK(tensor.begin == end && tensor.size() > 0);
    end += tensor.size_bytes();
  }
  CHECK(header->body + end == bytes.size());
  // Our own header of the same tensors says the same.
  common::Bytes again = train::safetensors_header(header->tensors);
  again.resize(again.size() + end);
  const auto second = train::parse_safetensors_header(again, 2 * kHeaderMax);
  CHECK(second.has_value() && second->tensors.size() == header->tensors.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const common::ByteView input(data, size);
  read(input);
  for (const size_t body : {0U, 4U, 24U}) {
    common::ByteWriter out;
    read(out.number(uint64_t{size}).raw(input).raw(common::Bytes(body)).bytes());
  }
  return 0;
}
