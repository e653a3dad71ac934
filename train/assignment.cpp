#include "train/assignment.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/check.h"
#include "common/philox.h"

namespace train {
namespace {

constexpr uint32_t kReceiptVersion = 1;

common::Hash leaf(const ReceiptStep& step) {
  common::Hasher hasher;
  hasher.number(step.step);
  for (const uint64_t sample : step.samples) hasher.number(sample);
  return hasher.number(step.loss).finish();
}

}  // namespace

std::vector<uint64_t> assignment(const common::Hash& hparams_hash, const common::Hash& block_hash,
                                 common::Uid uid, common::Window window, uint64_t sample_count,
                                 const common::InnerParams& inner) {
  CHECK(sample_count > 0);
  common::Philox random(common::Hasher()
                            .update(hparams_hash.bytes)
                            .update(block_hash.bytes)
                            .number(uid.index)
                            .number(window.index)
                            .finish());
  const uint64_t total = uint64_t{inner.steps} * inner.sequences_per_step;
  std::vector<uint64_t> samples;
  samples.reserve(total);
  while (samples.size() < total) {
    const uint64_t count = std::min(sample_count, total - samples.size());
    const auto round = common::sample_without_replacement(random, sample_count, count);
    samples.insert(samples.end(), round.begin(), round.end());
  }
  return samples;
}

common::Hash Receipt::root() const {
  std::vector<common::Hash> leaves;
  leaves.reserve(steps.size());
  for (const ReceiptStep& step : steps) leaves.push_back(leaf(step));
  return common::merkle_root(leaves);
}

// version u32 | count u32 | each: step u32, loss f32, samples u64...
common::Bytes Receipt::serialise() const {
  common::ByteWriter writer;
  writer.number(kReceiptVersion).number(static_cast<uint32_t>(steps.size()));
  for (const ReceiptStep& step : steps) {
    CHECK(step.samples.size() == steps.front().samples.size());
    writer.number(step.step).number(step.loss);
    for (const uint64_t sample : step.samples) writer.number(sample);
  }
  return std::move(writer).bytes();
}

std::optional<Receipt> Receipt::parse(common::ByteView bytes, uint32_t steps_max,
                                      uint32_t samples_per_step) {
  common::ByteReader reader(bytes);
  const auto version = reader.number<uint32_t>();
  const auto count = reader.number<uint32_t>();
  if (!reader.ok() || version != kReceiptVersion || count > steps_max) return std::nullopt;
  const uint64_t step_size = sizeof(uint32_t) + sizeof(float) + 8 * uint64_t{samples_per_step};
  if (reader.remaining() != count * step_size) return std::nullopt;
  Receipt receipt;
  receipt.steps.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    ReceiptStep& step = receipt.steps[i];
    step.step = reader.number<uint32_t>();
    step.loss = reader.number<float>();
    if (step.step != i || !std::isfinite(step.loss) || std::signbit(step.loss)) return std::nullopt;
    step.samples.resize(samples_per_step);
    for (uint64_t& sample : step.samples) sample = reader.number<uint64_t>();
  }
  return receipt;
}

bool Receipt::follows(const std::vector<uint64_t>& assigned, uint32_t samples_per_step) const {
  if (steps.size() * samples_per_step > assigned.size()) return false;
  auto next = assigned.begin();
  for (size_t i = 0; i < steps.size(); ++i) {
    const ReceiptStep& step = steps[i];
    if (step.step != i || step.samples.size() != samples_per_step) return false;
    if (!std::equal(step.samples.begin(), step.samples.end(), next)) return false;
    next += samples_per_step;
  }
  return true;
}

}  // namespace train
