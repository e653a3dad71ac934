// Goal: no bytes crash the reader of receipts, and what it accepts is the one encoding of what it
// reads. Method: read, write, compare.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/assignment.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kSteps = 5;
  constexpr uint32_t kSamples = 3;
  const auto receipt = train::Receipt::parse({data, size}, kSteps, kSamples);
  if (!receipt) return 0;
  CHECK(receipt->steps.size() <= kSteps);
  for (const train::ReceiptStep& step : receipt->steps) {
    CHECK(step.samples.size() == kSamples && std::isfinite(step.loss) && step.loss >= 0);
  }
  CHECK(receipt->serialise() == common::Bytes(data, data + size));
  return 0;
}
