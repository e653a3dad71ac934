#include "train/adamw.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <utility>

#include "common/bytes.h"
#include "common/check.h"
#include "common/files.h"
#include "common/hash.h"
#include "train/cpu/kernels.h"

namespace train {
namespace {

// version u32 | window u64 | steps u64 | N u64 | m f32... | v f32... | BLAKE2b-256 of all before
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderSize = 4 + 8 + 8 + 8;
constexpr size_t kHashSize = 32;

// A run of a tensor's values is at most so long: an int counts it.
constexpr uint64_t kRunMax = 1U << 30;

// Sums of 4,096 squares, then the sum of those, in fp64: the same on every machine.
double norm_of(std::span<const float> values) {
  constexpr size_t kBlock = 4096;
  constexpr size_t kLanes = 8;  // Independent sums, so that additions need not wait for each other.
  double total = 0;
  for (size_t first = 0; first < values.size(); first += kBlock) {
    const auto block = values.subspan(first, std::min(kBlock, values.size() - first));
    double sums[kLanes] = {};
    size_t i = 0;
    for (; i + kLanes <= block.size(); i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const double value = block[i + lane];
        sums[lane] += value * value;
      }
    }
    for (; i < block.size(); ++i) sums[0] += double{block[i]} * block[i];
    for (const double sum : sums) total += sum;
  }
  return std::sqrt(total);
}

common::ByteView bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

common::Error corrupt(const std::filesystem::path& file, const char* why) {
  return {common::Code::kCorrupt, "optimiser state " + file.string() + ": " + why};
}

}  // namespace

double learning_rate(const common::InnerParams& params, common::Window window, uint32_t step) {
  const auto per_window = static_cast<double>(params.steps);
  const double now = static_cast<double>(window.index) * per_window + step;
  const double warmup = static_cast<double>(params.warmup_windows) * per_window;
  const double decay = static_cast<double>(params.decay_windows) * per_window;
  if (now < warmup) return params.learning_rate * (now + 1) / warmup;
  const double way = now < decay ? (now - warmup) / (decay - warmup) : 1.0;
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * way));
  return params.learning_rate * (params.final_ratio + (1.0 - params.final_ratio) * cosine);
}

AdamW::AdamW(const compress::Layout& layout, const common::InnerParams& params)
    : params_(params), m_(layout.parameter_count()), v_(layout.parameter_count()) {
  for (const compress::Tensor& tensor : layout.tensors()) {
    for (uint64_t first = 0; first < tensor.size(); first += kRunMax) {
      runs_.push_back(
          {tensor.offset + first, std::min(kRunMax, tensor.size() - first), !tensor.is_vector()});
    }
  }
}

double AdamW::step(std::span<float> theta, std::span<const float> gradient, double rate) {
  CHECK(theta.size() == m_.size() && gradient.size() == m_.size());
  const double norm = norm_of(gradient);
  CHECK_MSG(std::isfinite(norm), "the gradient is not finite");
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const bool clips = params_.gradient_clip > 0 && norm > params_.gradient_clip;
  cpu::AdamwStep step{
      .gradient_scale = clips ? static_cast<float>(params_.gradient_clip / norm) : 1.0F,
      .beta1 = static_cast<float>(params_.beta1),
      .beta2 = static_cast<float>(params_.beta2),
      .one_less_beta1 = static_cast<float>(1.0 - params_.beta1),
      .one_less_beta2 = static_cast<float>(1.0 - params_.beta2),
      .epsilon = static_cast<float>(params_.epsilon),
      .rate = static_cast<float>(rate / (1.0 - std::pow(params_.beta1, t))),
      .v_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(params_.beta2, t))),
      .keep = 1.0F,
  };
  for (const Decayed& run : runs_) {
    step.keep = run.decays ? static_cast<float>(1.0 - rate * params_.weight_decay) : 1.0F;
    cpu::adamw_run(theta.data() + run.first, m_.data() + run.first, v_.data() + run.first,
                   gradient.data() + run.first, static_cast<int>(run.size), step);
  }
  return norm;
}

common::Result<void> AdamW::save(const std::filesystem::path& file, common::Window window) const {
  common::ByteWriter writer;
  writer.number(kVersion).number(window.index).number(steps_).number(uint64_t{m_.size()});
  writer.raw(bytes_of(m_)).raw(bytes_of(v_));
  writer.raw(common::blake2b_256(writer.bytes()).bytes);
  return common::write_file(file, writer.bytes());
}

common::Result<common::Window> AdamW::load(const std::filesystem::path& file) {
  const uint64_t size = kHeaderSize + 2 * m_.size() * sizeof(float) + kHashSize;
  auto read = common::read_file(file, size);
  if (!read && read.error().code == common::Code::kExhausted)
    return corrupt(file, "it is too long");
  TRY(const common::Bytes bytes, std::move(read));
  if (bytes.size() != size) return corrupt(file, "it is cut short, or of another model");
  common::ByteReader reader(bytes);
  const common::ByteView content = reader.raw(size - kHashSize);
  if (common::blake2b_256(content).bytes != reader.array<kHashSize>()) {
    return corrupt(file, "its hash is wrong");
  }
  common::ByteReader fields(content);
  if (fields.number<uint32_t>() != kVersion) return corrupt(file, "it is of another version");
  const common::Window window{fields.number<uint64_t>()};
  const auto steps = fields.number<uint64_t>();
  if (fields.number<uint64_t>() != m_.size()) return corrupt(file, "it is of another model");
  for (std::vector<float>* moment : {&m_, &v_}) {
    const common::ByteView values = fields.raw(moment->size() * sizeof(float));
    std::memcpy(moment->data(), values.data(), values.size());
  }
  steps_ = steps;
  return window;
}

}  // namespace train
