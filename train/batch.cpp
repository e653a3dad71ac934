#include "train/batch.h"

#include "common/check.h"

namespace train {

Batch make_batch(std::span<const std::vector<uint32_t>> runs, uint32_t end_of_document,
                 bool document_mask) {
  CHECK(!runs.empty() && runs.front().size() > 1);
  Batch batch;
  batch.B = static_cast<uint32_t>(runs.size());
  batch.T = static_cast<uint32_t>(runs.front().size() - 1);
  const size_t size = size_t{batch.B} * batch.T;
  batch.input.reserve(size);
  batch.target.reserve(size);
  batch.document_start.reserve(size);
  for (const std::vector<uint32_t>& run : runs) {
    CHECK(run.size() == size_t{batch.T} + 1);
    uint32_t start = 0;
    for (uint32_t t = 0; t < batch.T; ++t) {
      if (document_mask && t > 0 && run[t - 1] == end_of_document) start = t;
      batch.input.push_back(run[t]);
      batch.target.push_back(run[t + 1]);
      batch.document_start.push_back(start);
    }
  }
  return batch;
}

}  // namespace train
