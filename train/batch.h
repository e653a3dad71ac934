// What a model reads at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace train {

// B sequences of T tokens, each with the token that follows.
struct Batch {
  uint32_t B = 0;
  uint32_t T = 0;
  std::vector<uint32_t> input;   // (B, T)
  std::vector<uint32_t> target;  // (B, T)  input shifted by one; kNoTarget is not learned
  // (B, T)  where the document that holds this position begins, as a position of its sequence:
  // attention looks at document_start[b,t] .. t. All 0 when documents are not masked from each
  // other.
  std::vector<uint32_t> document_start;
};

inline constexpr uint32_t kNoTarget = 0xFFFFFFFF;

// From B runs of T + 1 tokens each. `document_mask`: a position after `end_of_document` begins a
// document; the end itself is a target (W56).  Pre: every run has T + 1 tokens, T > 0.
Batch make_batch(std::span<const std::vector<uint32_t>> runs, uint32_t end_of_document,
                 bool document_mask);

}  // namespace train
