#include "train/cuda/memory.h"

#include <algorithm>
#include <bit>

#include "train/cuda/parameter_kernels.h"
#include "train/cuda/row_kernels.h"
#include "train/cuda/table_kernels.h"

namespace train::cuda {
namespace {

constexpr size_t kBytesPerPosition = 8 << 20;
constexpr int kPositionsMin = 512;
constexpr int kPositionsMax = 1 << 14;
constexpr size_t kShareForLogits = 128;  // Of the card's memory, at most.
constexpr int64_t kLogitsMax = 1 << 27;

uint64_t value_size(Precision precision) { return precision == Precision::kBf16 ? 2 : 4; }

}  // namespace

int positions_at_once(size_t memory_bytes) {
  const size_t fit = std::bit_floor(memory_bytes / kBytesPerPosition);
  return static_cast<int>(std::clamp<size_t>(fit, kPositionsMin, kPositionsMax));
}

int64_t logits_at_once(size_t memory_bytes) {
  const auto fit = static_cast<int64_t>(memory_bytes / kShareForLogits / sizeof(float));
  return std::min(kLogitsMax, fit);
}

// The same for every call of a vocabulary: parts decide how sums of weights are rounded.
int loss_positions(int64_t logits_at_once, int V) {
  constexpr int kRound = 128;  // Rows that fill the tiles of a product.
  const auto fit = static_cast<int>(logits_at_once / V);
  return std::max(fit / kRound * kRound, std::max(1, std::min(fit, kRound)));
}

size_t packed_bytes(Precision precision, int O, int C) {
  constexpr size_t kAlignment = 256;
  if (precision == Precision::kFp32) return 0;
  const size_t size = static_cast<size_t>(O) * static_cast<size_t>(C) * value_size(precision);
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

uint64_t room_bytes(const RoomSizes& sizes, Precision precision) {
  const auto N = static_cast<uint64_t>(sizes.N);
  const auto blocks = [&](int rows) { return static_cast<uint64_t>(blocks_of(sizes.N, rows)); };
  const uint64_t partial_sums =
      blocks(RmsnormBackward<float>::kRows) * static_cast<uint64_t>(sizes.C) * sizeof(float);
  const uint64_t sorted = (4 * N + blocks(kDigits) * uint64_t{kDigits}) * sizeof(uint32_t);
  const uint64_t deltas = N * static_cast<uint64_t>(sizes.H) * sizeof(float);
  const uint64_t squares = (static_cast<uint64_t>(runs_of(sizes.parameters)) + 1) * sizeof(double);
  const uint64_t factors =
      precision == Precision::kBf16 ? sizes.factor_values * value_size(precision) : 0;
  return partial_sums + sorted + deltas + squares + factors;
}

uint64_t logit_bytes(int N, int V, int64_t logits_at_once, Precision precision) {
  const auto count = static_cast<uint64_t>(std::min(N, loss_positions(logits_at_once, V)));
  return count * static_cast<uint64_t>(V) * (sizeof(float) + value_size(precision));
}

}  // namespace train::cuda
